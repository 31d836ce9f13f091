import { Type, type Static } from 'typebox';
import type { Site } from '../directory/model.js';
import { accountOfKey } from './access.js';
import { escapeHtml } from './html.js';
import type { HttpParts } from './ports.js';
import { badValue, type Fault } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import type { TagFile, TagFiles } from './tag-files.js';
import { signTag, type TagIds } from './tag-signature.js';

const TagBody = Type.Object(
  {
    endpoint: Type.String({ minLength: 1, maxLength: 128, description: 'the id or name of an endpoint' }),
    site: Type.String({ minLength: 1, maxLength: 128, description: 'the id or name of a site' }),
  },
  { additionalProperties: false, description: 'an object with endpoint, site' },
);
type TagBody = Static<typeof TagBody>;

/** The HTML of both tags for one site and endpoint. @param base where pages find us: `https://numbers.example.com` or '' */
export function tagHtml(base: string, files: TagFiles, ids: TagIds, site: Site, signature: string) {
  return {
    analyticsTag: scriptTag(base, files.analytics, { site: ids.site }),
    communicationTag: scriptTag(base, files.communication, {
      site: ids.site,
      endpoint: ids.endpoint,
      tag: signature,
      number: site.printedNumber,
    }),
  };
}

function scriptTag(base: string, file: TagFile, data: Readonly<Record<string, string>>): string {
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`);
  // `defer` keeps the order of the two, and the page visible while they load.
  return `<script defer src="${escapeHtml(base + file.path)}" integrity="${file.integrity}" crossorigin="anonymous"${attributes.join('')}></script>`;
}

/**
 * `POST /v1/tags` makes the two tags of a site and an endpoint (features, S1.1), `GET /t/<hash>.js` serves their code.
 * Tags are a pure function of the ids, so that asking twice gives the same ones; an `Idempotency-Key` changes nothing.
 */
export function tagRoutes(http: Http, parts: HttpParts, files: TagFiles): void {
  http.post<{ Body: TagBody }>('/v1/tags', { schema: { body: TagBody } }, async (request, reply) => {
    const directory = parts.directory();
    const account = accountOfKey(directory, askerOf(request));
    const site = directory.site(account.id, request.body.site);
    const endpoint = directory.endpoint(account.id, request.body.endpoint);
    const faults: Fault[] = [];
    if (site === undefined)
      faults.push({ field: 'site', expected: 'the id or name of a site of this account' });
    if (endpoint === undefined || (site && !directory.mayName(site, endpoint))) {
      faults.push({ field: 'endpoint', expected: 'the id or name of an endpoint that this site may name' });
    }
    if (site === undefined || endpoint === undefined || faults.length > 0) throw badValue(faults);
    const ids = { account: account.id, site: site.id, endpoint: endpoint.id };
    const base = `${request.protocol}://${request.host}`;
    const tags = tagHtml(base, files, ids, site, signTag(parts.tagKey, ids));
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({ ...tags, snippet: `${tags.analyticsTag}\n${tags.communicationTag}` });
  });

  for (const file of Object.values(files) as TagFile[]) {
    http.get(file.path, async (_request, reply) =>
      reply
        .header('content-type', 'text/javascript; charset=utf-8')
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('access-control-allow-origin', '*') // SRI reads the script of another origin only with leave
        .header('cross-origin-resource-policy', 'cross-origin')
        .send(file.body),
    );
  }
}
