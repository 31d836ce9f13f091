import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Site } from '../../src/directory/model.js';
import { makeDirectory, World } from '../http/fixture.js';
import { freePort } from '../../src/start/ports.js';
import { snippetOf } from './site.js';

export interface File {
  readonly body: string;
  /** HTML when absent. */
  readonly type?: string;
  /** How long it is on its way. */
  readonly delayMs?: number;
}

/** An HTTP interface on a socket, whose site `web` is the origin. */
export async function openWorld(origin: string, life: Partial<Site> = {}) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const directory = makeDirectory(origin, base, { holdMs: 30_000, heartbeatMs: 20_000, ...life });
  const w = new World({ now: Date.now }, directory);
  await w.http.listen('127.0.0.1', port);
  return { w, base, snippet: await snippetOf(base) };
}

/** A customer's site with the files that are put into `files`, by path, and the HTTP interface that its tags ask. */
export async function openSite(life: Partial<Site> = {}) {
  const files = new Map<string, File>();
  const server = createServer((request, response) => {
    const file = files.get(new URL(request.url ?? '/', 'http://x').pathname);
    void wait(file?.delayMs ?? 0).then(() => {
      response.statusCode = file ? 200 : 404;
      response.setHeader('content-type', `${file?.type ?? 'text/html'}; charset=utf-8`);
      response.end(file?.body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const world = await openWorld(origin, life);
  return {
    ...world,
    origin,
    files,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await world.w.http.close();
    },
  };
}
