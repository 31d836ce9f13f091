import { Type, type Static } from 'typebox';
import type { Site } from '../directory/model.js';
import { dialledForm } from '../numbers/e164.js';
import { accountOfKey } from './access.js';
import { escapeHtml } from './html.js';
import { E164 } from './ids.js';
import type { HttpParts } from './ports.js';
import { badValue, type Fault } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import type { TagFile, TagFiles } from './tag-files.js';
import { signTag, type TagIds } from './tag-signature.js';

export const ANALYTICS = '^(?:ga4:G-[A-Z0-9]{4,20}|matomo|function:[A-Za-z_$][A-Za-z0-9_$]{0,63})$';
export const ANALYTICS_WORDS =
  'whose session ids the tag takes: ga4:G-..., matomo, or function: and the name of one of the page';

const TagBody = Type.Object(
  {
    endpoint: Type.String({ minLength: 1, maxLength: 128, description: 'the id or name of an endpoint' }),
    site: Type.String({ minLength: 1, maxLength: 128, description: 'the id or name of a site' }),
    number: Type.Optional(
      Type.String({
        pattern: E164,
        description: 'the number that stands in the pages, E.164; that of the site when absent',
      }),
    ),
    analytics: Type.Optional(
      Type.String({
        pattern: ANALYTICS,
        description: ANALYTICS_WORDS,
      }),
    ),
  },
  { additionalProperties: false, description: 'an object with endpoint, site, number, analytics' },
);
type TagBody = Static<typeof TagBody>;

/** What goes into a tag beside the ids. */
export interface TagWishes {
  /** E.164, in the place of the site's. */
  readonly number?: string | undefined;
  readonly analytics?: string | undefined;
  /** Attributes that a page may add to the tag: `consent`, `hide`, `rules`. */
  readonly more?: Readonly<Record<string, string>>;
}

/**
 * The HTML of both tags for one site and endpoint: `snippet` is the two in one element.
 * @param base where pages find us: `https://numbers.example.com` or ''
 */
export function tagHtml(
  base: string,
  files: TagFiles,
  ids: TagIds,
  {
    site,
    signature,
    number,
    analytics,
    more,
  }: TagWishes & { readonly site: Site; readonly signature: string },
) {
  const own = sourceOfIds(analytics);
  const all = {
    site: ids.site,
    endpoint: ids.endpoint,
    tag: signature,
    number: dialledForm(number ?? site.printedNumber),
  };
  const { loader, debug } = files;
  return {
    snippet: scriptTag(base, loader, { ...all, ...own, ...more }),
    analyticsTag: scriptTag(base, loader, { site: ids.site, ...own }),
    communicationTag: scriptTag(base, loader, all),
    debugTag: scriptTag(base, debug, {}),
  };
}

/** Where the tag finds ids that the page's own analytics made: patterns of cookies, or the name of a function. */
function sourceOfIds(analytics: string | undefined): { session?: string; visitor?: string } {
  const [kind, name = ''] = (analytics ?? '').split(':');
  if (kind === 'ga4')
    return {
      visitor: '(?:^|; )_ga=GA\\d\\.\\d+\\.([\\d.]+)',
      session: `_ga_${name.slice(2)}=GS\\d\\.\\d+\\.s?(\\d+)`,
    };
  // Matomo tells a browser who is there, not which visit it is: that stays ours.
  if (kind === 'matomo') return { visitor: '(?:^|; )_pk_id[^=]*=([0-9a-f]{16})' };
  return kind === 'function' ? { session: name } : {};
}

function scriptTag(base: string, file: TagFile, data: Readonly<Record<string, string>>): string {
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`);
  // `async`: nothing of the page waits for it, and it waits for nothing of the page.
  return `<script async src="${escapeHtml(base + file.path)}" integrity="${file.integrity}" crossorigin="anonymous"${attributes.join('')}></script>`;
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
    const { number, analytics } = request.body;
    const signature = signTag(parts.tagKey, ids);
    const tags = tagHtml(base, files, ids, { site, signature, number, analytics });
    const amp = `${base}/v1/amp?site=${ids.site}&endpoint=${ids.endpoint}&tag=${signature}&session=CLIENT_ID(tsv)&page=SOURCE_URL&referrer=DOCUMENT_REFERRER`;
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({ ...tags, ampConfig: amp });
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
