// A server that sends the page with the visitor's number in it.
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { allocate, swapHtml, visitorCookie } from 'tagswitch-tag/server';

const PRINTED = '+1 2025550199';

export interface Place {
  readonly base: string;
  readonly key: string;
  readonly site: string;
  readonly endpoint: string;
}

/** @param html with the snippet in it, whose element has the attribute data-session="tss=([\w-]+)" */
export function serve(html: string, place: Place, secure: boolean): Server {
  return createServer((request, response) => {
    const cookie = (name: string) =>
      new RegExp(`(?:^|; )${name}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1];
    const session = cookie('tss') ?? randomUUID();
    const visitor = cookie('tsv') ?? randomUUID();
    const address = new URL(request.url ?? '/', 'http://localhost');
    const touch = {
      query: Object.fromEntries(address.searchParams),
      referrer: request.headers.referer ?? '',
    };
    const userAgent = request.headers['user-agent'];
    void allocate({ ...place, session, visitor, touch, userAgent, timeoutMs: 300 }).then((given) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.setHeader('cache-control', 'private, no-store');
      response.setHeader('set-cookie', [
        visitorCookie(visitor, { secure }),
        `tss=${session}; Path=/; Max-Age=1800; SameSite=Lax${secure ? '; Secure' : ''}`,
      ]);
      response.end(swapHtml(html, PRINTED, given));
    });
  });
}
