import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Type, type Static } from 'typebox';
import type { Account, Endpoint, Site } from '../directory/model.js';
import { escapeHtml, filled } from './html.js';
import { E164 } from './ids.js';
import type { HttpParts } from './ports.js';
import { badValue, Problem } from './problems.js';
import { fromOwnPage, type Http } from './server-type.js';
import type { TagFile, TagFiles } from './tag-files.js';
import { signTag } from './tag-signature.js';
import { ANALYTICS, ANALYTICS_WORDS, tagHtml } from './tags.js';
import { validated } from './validated.js';

/** What the demo pages show. */
export interface DemoPlace {
  readonly account: Account;
  readonly site: Site;
  readonly endpoint: Endpoint;
}

/** Bytes of the HTML of one page. */
const MOST_HTML = 16_384;
/** A form writes one byte as three, a line's end as six. */
const MOST_BODY = 4 * MOST_HTML;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/**
 * Of the page that is tried: the policy of a strict site, but for styles that its author writes. What scripts he writes do not
 * run, and whatever comes in, no window but the playground's shows it.
 */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-scripts allow-same-origin";

const Form = Type.Object(
  {
    html: Type.String({ description: 'the HTML of the page' }),
    number: Type.Optional(Type.String({ pattern: `^$|${E164}`, description: 'the printed number, E.164' })),
    consent: Type.Optional(
      Type.Enum(['', 'granted', 'denied', 'unset'], { description: 'granted, denied, unset or nothing' }),
    ),
    analytics: Type.Optional(
      Type.String({ pattern: `^$|${ANALYTICS}`, description: `${ANALYTICS_WORDS}; or nothing` }),
    ),
    rules: Type.Optional(Type.String({ maxLength: 4_096, description: 'at most 4,096 characters of JSON' })),
    hide: Type.Optional(Type.Enum(['0', '1'], { description: '0 or 1' })),
    overlay: Type.Optional(Type.Enum(['0', '1'], { description: '0 or 1' })),
  },
  {
    additionalProperties: false,
    description: 'a form with html, number, consent, analytics, rules, hide, overlay',
  },
);
type Form = Static<typeof Form>;

const RULES_WORDS = 'a JSON list of [selector, attribute, template], three texts each';

/**
 * `GET /demo/playground`: a page's HTML and the tag's settings are edited, and seen in a frame; `POST /demo/playground/page`
 * makes the document of that frame. It is made of what was sent, for who sent it, and kept nowhere: so that nobody is sent
 * there with the HTML of another, only the playground itself may ask.
 */
export function playgroundRoutes(http: Http, parts: HttpParts, find: () => DemoPlace, files: TagFiles): void {
  const page = readFileSync(new URL('demo/playground.html', import.meta.url), 'utf8');
  const script = ({ path, integrity }: TagFile, how: string) =>
    `<script ${how} src="${path}" integrity="${integrity}" crossorigin="anonymous"></script>`;

  http.get('/demo/playground', async (_request, reply) => {
    const { site, endpoint } = find();
    return reply.headers(headersOf(POLICY)).send(
      filled(page, {
        number: escapeHtml(site.printedNumber),
        site: escapeHtml(site.name),
        endpoint: escapeHtml(endpoint.name),
        mostHtml: String(MOST_HTML),
        script: script(files.playground, 'defer'),
      }),
    );
  });

  for (const name of ['playground', 'page']) {
    const style = readFileSync(new URL(`demo/${name}.css`, import.meta.url));
    http.get(`/demo/${name}.css`, async (_request, reply) =>
      reply.header('content-type', 'text/css; charset=utf-8').header('cache-control', 'no-cache').send(style),
    );
  }

  const documentOf = ({ html, overlay, hide, rules, ...form }: Form): string => {
    const { account, site, endpoint } = find();
    const ids = { account: account.id, site: site.id, endpoint: endpoint.id };
    const more = {
      ...(form.consent && { consent: form.consent }),
      ...(hide === '0' && { hide }),
      ...(rules && { rules }),
    };
    const { snippet, debugTag } = tagHtml('', files, ids, {
      ...{ site, signature: signTag(parts.tagKey, ids), more },
      number: form.number || undefined,
      analytics: form.analytics || undefined,
    });
    // First the script that the page's own requests are seen by; it waits for nothing.
    const scripts = [
      script(files.playgroundPage, `data-tag="${files.loader.path}"`),
      snippet,
      overlay === '1' ? debugTag : '',
    ].join('\n');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>A page of the playground</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/demo/page.css">
${scripts}
</head>
<body>
${html}
</body>
</html>
`;
  };

  void http.register((scope, _options, ready) => {
    // As a form of a page sends it, and nothing else: what this frame shows is a page that was navigated to.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser<Buffer>(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer' },
      (_request, body, done) => {
        if (!isUtf8(body)) return done(badValue([{ field: 'body', expected: 'a form in UTF-8' }]));
        return done(null, Object.fromEntries(new URLSearchParams(body.toString('utf8'))));
      },
    );
    scope.post(
      '/demo/playground/page',
      {
        bodyLimit: MOST_BODY,
        // Before anything of the body is read.
        onRequest: (request, _reply, done) =>
          done(fromOwnPage(request) ? undefined : new Problem('notSameOrigin')),
      },
      async (request, reply) => {
        const form = validated(request, Form, request.body);
        const html = form.html.replace(/\r\n/g, '\n');
        if (Buffer.byteLength(html) > MOST_HTML) throw new Problem('bodyTooLarge');
        if (form.rules && !areRules(form.rules)) throw badValue([{ field: 'rules', expected: RULES_WORDS }]);
        return reply.headers(headersOf(PAGE_POLICY)).send(documentOf({ ...form, html }));
      },
    );
    ready();
  });
}

function areRules(text: string): boolean {
  try {
    const rules: unknown = JSON.parse(text);
    const isRule = (rule: unknown) =>
      Array.isArray(rule) && rule.length === 3 && rule.every((part) => typeof part === 'string');
    return Array.isArray(rules) && rules.every(isRule);
  } catch {
    return false; // no JSON
  }
}

function headersOf(policy: string) {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
    'cache-control': 'no-store',
  };
}
