/** A customer's site and our HTTP interface beside it, each on a port of its own: two origins, as in life. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import type { Site } from '../../src/directory/model.js';
import { KEY, makeDirectory, World } from '../http/fixture.js';
import { freePort } from '../../src/start/ports.js';

export const HEARTBEAT = 400;

/** An HTTP interface on a socket whose demo site is its own address. */
export async function open(
  life: Partial<Site> = {},
  extraOrigin?: string,
  numbers?: readonly string[],
): Promise<{ w: World; base: string }> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const directory = makeDirectory(extraOrigin, base, { holdMs: 30_000, heartbeatMs: HEARTBEAT, ...life });
  const w = new World({ demo: { site: 'closed', endpoint: 'service' }, now: Date.now }, directory, numbers);
  await w.http.listen('127.0.0.1', port);
  return { w, base };
}

/** A site of its own on another port. What is served without a path is every page that has none. */
export interface CustomerSite {
  readonly origin: string;
  close(this: void): void;
  serve(this: void, html: string, policy: string, path?: string): void;
}

export async function openSite(): Promise<CustomerSite> {
  const pages = new Map<string, readonly [html: string, policy: string]>();
  const server = createServer(({ url = '' }, response) => {
    const [html = '', policy = ''] = pages.get(url) ?? pages.get('') ?? [];
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy);
    response.end(html);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    close: () => {
      server.closeAllConnections();
      server.close();
    },
    origin: `http://127.0.0.1:${port}`,
    serve: (html, policy, path = '') => void pages.set(path, [html, policy]),
  };
}

/** The strictest policy that lets the tag work. */
export const strictest = (base: string) => `default-src 'none'; script-src ${base}; connect-src ${base}`;

/** Both tags of the site `web` in one element, as a customer is given them. */
export async function snippetOf(
  base: string,
  wishes: { readonly number?: string; readonly endpoint?: string } = {},
): Promise<string> {
  const tags = await fetch(`${base}/v1/tags`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site: 'web', endpoint: 'sales', ...wishes }),
  });
  return ((await tags.json()) as { snippet: string }).snippet;
}

/** The page's number ends, and there is no other for it: it shows its printed one from the next heartbeat on. */
export function endLinks(w: World): void {
  for (const link of [...w.links.links]) {
    link.until = 0;
    const another = { ...link.request, session: `not ${link.request.session}` };
    w.links.links.push({ ...link, request: another, until: Infinity });
  }
}

/** What a page complains about: its console's errors, and scripts that broke. */
export function complaints(page: Page): string[] {
  const all: string[] = [];
  page.on('console', (message) => void (message.type() === 'error' && all.push(message.text())));
  page.on('pageerror', (error) => void all.push(error.message));
  return all;
}
