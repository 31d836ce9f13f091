import { readFileSync } from 'node:fs';
import { poolOfLink } from '../numbers/links.js';
import { forgivingOpen } from './calls.js';
import { playgroundRoutes, type DemoPlace } from './demo-playground.js';
import { escapeHtml, filled } from './html.js';
import type { HttpParts } from './ports.js';
import { PageIndex } from './page-index.js';
import { badValue, Problem } from './problems.js';
import type { Http } from './server-type.js';
import type { TagFiles } from './tag-files.js';
import { signTag } from './tag-signature.js';
import { tagHtml } from './tags.js';

/** Nothing but what this server serves itself, and no script or style in the page. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const SHOWN_CALLS = 10;
const DAY_MS = 86_400_000;

/**
 * `GET /demo`: a page with the real tags, as a site would carry them. `GET /demo/calls` lists the calls to the page's own
 * link, which is as hard to guess as a key: there is no API key in the page.
 */
export function demoRoutes(
  http: Http,
  parts: HttpParts,
  demo: { site: string; endpoint: string },
  files: TagFiles,
): void {
  const page = readFileSync(new URL('demo/demo.html', import.meta.url), 'utf8');
  const style = readFileSync(new URL('demo/demo.css', import.meta.url));
  const open = forgivingOpen(parts);

  /** The demo site and endpoint, where exactly one account declares them. */
  const find = (): DemoPlace => {
    const directory = parts.directory();
    const [where, another] = PageIndex.of(directory).sites(demo.site);
    const endpoint = where && directory.endpoint(where.account.id, demo.endpoint);
    if (where === undefined || another !== undefined || endpoint === undefined) throw new Problem('notFound');
    return { ...where, endpoint };
  };
  playgroundRoutes(http, parts, find, files);

  http.get('/demo', async (_request, reply) => {
    const { account, site, endpoint } = find();
    const ids = { account: account.id, site: site.id, endpoint: endpoint.id };
    const tags = tagHtml('', files, ids, { site, signature: signTag(parts.tagKey, ids) });
    const values: Readonly<Record<string, string>> = {
      number: escapeHtml(site.printedNumber),
      display: escapeHtml(parts.displayForm(site.printedNumber)),
      site: escapeHtml(site.name),
      endpoint: escapeHtml(endpoint.name),
      holdSeconds: String(Math.round(site.holdMs / 1000)),
      heartbeatSeconds: String(Math.round(site.heartbeatMs / 1000)),
      snippet: tags.snippet,
      demoScript: `<script defer src="${files.demo.path}" integrity="${files.demo.integrity}" crossorigin="anonymous"></script>`,
    };
    return reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'same-origin')
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store')
      .send(filled(page, values));
  });
  http.get('/demo/style.css', async (_request, reply) =>
    reply.header('content-type', 'text/css; charset=utf-8').header('cache-control', 'no-cache').send(style),
  );

  http.get<{ Querystring: Record<string, unknown> }>('/demo/calls', async (request, reply) => {
    const { link, number } = request.query;
    const { account, site } = find();
    if (typeof link !== 'string' || typeof number !== 'string' || !/^\+[1-9]\d{6,14}$/.test(number)) {
      throw badValue([
        { field: 'link and number', expected: 'the link of this page and its number in E.164' },
      ]);
    }
    const pool = poolOfLink(link);
    if (pool === undefined || parts.directory().accountOfPool(pool)?.id !== account.id)
      throw new Problem('linkNotFound');
    const filter = { site: site.id, number, from: parts.now() - DAY_MS, limit: 50 };
    const { items } = await parts.callLog.list(account.id, filter);
    const calls = items
      .filter((call) => call.link === link)
      .slice(0, SHOWN_CALLS)
      .map((call) => ({
        id: call.id,
        caller: ending(call.caller === null ? null : open(call.caller)),
        startedAt: new Date(call.startedAt).toISOString(),
        answered: call.answeredAt !== null,
        ended: call.endedAt !== null,
        ringMs: call.ringMs,
        talkMs: call.talkMs,
        result: call.result,
        test: call.test,
      }));
    return reply.header('cache-control', 'no-store').send({ items: calls });
  });
}

/** The last two digits of a caller: enough to know one's own call by. */
function ending(caller: string | null): string | null {
  return caller === null ? null : `…${caller.slice(-2)}`;
}
