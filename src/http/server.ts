import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { fastify } from 'fastify';
import { Allocating } from './allocating.js';
import { ampRoute } from './amp.js';
import { allocationRoutes } from './allocations.js';
import { callRoutes } from './calls.js';
import { allowOrigins } from './cors.js';
import { demoRoutes } from './demo.js';
import { Connections } from './connections.js';
import { answerClientError, answerErrors, answerFrameworkError } from './errors.js';
import { healthRoutes } from './health.js';
import { KnownVisitors } from './known-visitors.js';
import { linkRoutes } from './links.js';
import { poolRoutes } from './pools.js';
import type { HttpParts } from './ports.js';
import { Problem } from './problems.js';
import type { Http } from './server-type.js';
import { sizingRoutes } from './sizing.js';
import { reportRoutes } from './reports.js';
import { routeRoutes } from './route.js';
import { StoreWatch } from './store-watch.js';
import { readTagFiles } from './tag-files.js';
import { tagRoutes } from './tags.js';
import { visitorCookieRoute } from './visitor-cookie.js';
import { visitorRoutes } from './visitors.js';

export const MAX_BODY = 2048;

export interface HttpServer {
  /**
   * Takes requests from now on.
   * @param port 0 for a free one
   * @throws when the address is taken or not ours
   */
  listen(host: string, port: number): Promise<void>;
  /** Where it listens. undefined before `listen` and after `close`. */
  address(): { readonly host: string; readonly port: number } | undefined;
  /** Requests that are under way are answered, idle connections are closed; nothing new is taken. May be called twice. */
  close(): Promise<void>;
  /** One request without a socket, for tests. */
  readonly inject: Http['inject'];
}

/**
 * The HTTP interface. Nothing in it keeps state of its own but the buckets of addresses, so that any number of
 * processes may stand side by side.
 */
export function createHttp(parts: HttpParts): HttpServer {
  const start = randomBytes(6).toString('base64url');
  let requests = 0;
  const http: Http = fastify({
    logger: false,
    bodyLimit: MAX_BODY,
    requestIdHeader: false,
    genReqId: () => `${start}-${(requests++).toString(36)}`,
    trustProxy: parts.trustedProxies.length === 0 ? false : [...parts.trustedProxies],
    requestTimeout: 10_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 128 },
    ajv: {
      customOptions: {
        allErrors: true,
        verbose: true,
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
      },
    },
    frameworkErrors: (error, request, reply) => answerFrameworkError(parts, error, request, reply),
    clientErrorHandler: (error, socket) => answerClientError(parts, error, socket),
  });
  const connections = new Connections(http.server);
  readBodies(http);
  answerErrors(http, parts);
  allowOrigins(http, parts);

  const store = new StoreWatch(parts.logger);
  const files = readTagFiles();
  const visitors = new KnownVisitors(parts);
  const allocating = new Allocating(parts, store, visitors);
  allocationRoutes(http, parts, allocating);
  ampRoute(http, parts, allocating);
  linkRoutes(http, parts, store);
  visitorRoutes(http, parts, store, visitors);
  visitorCookieRoute(http, parts);
  tagRoutes(http, parts, files);
  callRoutes(http, parts);
  poolRoutes(http, parts, store);
  sizingRoutes(http, parts);
  reportRoutes(http, parts);
  routeRoutes(http, parts, store);
  healthRoutes(http, parts);
  if (parts.demo !== undefined) demoRoutes(http, parts, parts.demo, files);

  return {
    listen: async (host, port) => void (await http.listen({ host, port })),
    address: () => {
      const address = http.server.address();
      return typeof address === 'object' && address !== null
        ? { host: address.address, port: address.port }
        : undefined;
    },
    close: async () => {
      const closed = http.close();
      connections.endIdle();
      await closed;
    },
    inject: http.inject.bind(http),
  };
}

/** JSON is the only language. `text/plain` is JSON too: what a page may send without a preflight, and a beacon must. */
function readBodies(http: Http): void {
  const parseJson = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser<Buffer>(
    ['application/json', 'text/plain'],
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (body.length === 0) return done(null, undefined);
      if (!isUtf8(body)) return done(new Problem('badJson'));
      return parseJson(request, body.toString('utf8'), (error, value) =>
        done(error === null ? null : new Problem('badJson'), value),
      );
    },
  );
}
