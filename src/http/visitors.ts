import { Type, type Static } from 'typebox';
import { accountOfKey } from './access.js';
import type { KnownVisitors } from './known-visitors.js';
import type { HttpParts } from './ports.js';
import { badValue } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import type { StoreWatch } from './store-watch.js';

const UnmergeBody = Type.Object(
  {
    site: Type.String({ minLength: 1, maxLength: 128, description: 'the id or name of a site' }),
    person: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{22}$',
        description: 'the person of a call record: 22 characters of A-Z a-z 0-9 _ -',
      }),
    ),
    subject: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'what the tokens of the site call the visitor (sub), 1 to 128 characters',
      }),
    ),
  },
  { additionalProperties: false, description: 'an object with site, and person or subject' },
);
type UnmergeBody = Static<typeof UnmergeBody>;

/** `POST /v1/visitors/unmerge`: the devices of a person who signed in are taken apart again. 204, also where there was nothing. */
export function visitorRoutes(
  http: Http,
  parts: HttpParts,
  store: StoreWatch,
  visitors: KnownVisitors,
): void {
  http.post<{ Body: UnmergeBody }>(
    '/v1/visitors/unmerge',
    { schema: { body: UnmergeBody } },
    async (request, reply) => {
      const directory = parts.directory();
      const account = accountOfKey(directory, askerOf(request));
      const { body } = request;
      const site = directory.site(account.id, body.site);
      if (site === undefined)
        throw badValue([{ field: 'site', expected: 'the id or name of a site of this account' }]);
      const named = [body.person, body.subject && visitors.personOf(site, body.subject)];
      const [person, another] = named.filter((one) => one !== undefined);
      if (person === undefined || another !== undefined)
        throw badValue([{ field: 'person', expected: 'either person or subject' }]);
      const endpoints = account.endpoints.map(({ id }) => id);
      await store.ask(parts.links.part(account.id, site.id, endpoints, person));
      return reply.code(204).send();
    },
  );
}
