import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpParts } from './ports.js';
import { badValue, Problem, problemBody, schemaFaults, type ProblemCode } from './problems.js';
import type { Http } from './server-type.js';

const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** What fastify's own errors are to the asker. */
const byFastifyCode: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'bodyTooLarge',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'mediaType',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'badRequest',
  FST_ERR_BAD_URL: 'badRequest',
  FST_ERR_MAX_PARAM_LENGTH: 'uriTooLong',
};

/** What Node's HTTP parser could not read. */
const byParserCode: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'requestTimeout',
};

/** Every failure leaves through here, as problem+json; what was not expected goes to the log, without its request's values. */
export function answerErrors(http: Http, parts: HttpParts): void {
  http.setErrorHandler((error: unknown, request, reply) =>
    sendProblem(parts, asProblem(error), request, reply, error),
  );

  const allowed = new Map<string, Set<string>>();
  http.addHook('onRoute', ({ url, method }) => {
    const methods = allowed.get(url) ?? new Set();
    for (const one of Array.isArray(method) ? method : [method]) methods.add(one);
    allowed.set(url, methods);
  });
  http.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    for (const [pattern, methods] of allowed) {
      if (!matches(pattern, path)) continue;
      reply.header('allow', [...methods].sort().join(', '));
      return sendProblem(parts, new Problem('methodNotAllowed'), request, reply);
    }
    return sendProblem(parts, new Problem('notFound'), request, reply);
  });
}

/** For `frameworkErrors`: an address that the router cannot read. */
export function answerFrameworkError(
  parts: HttpParts,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  void sendProblem(parts, asProblem(error), request, reply, error);
}

/** For `clientErrorHandler`: bytes that are not HTTP. There is no request yet, only a socket. */
export function answerClientError(parts: HttpParts, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = byParserCode[error.code ?? ''] ?? 'badRequest';
  parts.metrics.problems.count(code);
  const body = JSON.stringify(problemBody(code, '-'));
  const { status, title } = problemBody(code, '-');
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: ${PROBLEM_JSON}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function sendProblem(
  parts: HttpParts,
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
  cause?: unknown,
) {
  countProblem(parts, problem, request, cause);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.code === 'storeDown' || problem.code === 'notReady') reply.header('retry-after', '2');
  return reply
    .code(problem.status)
    .header('content-type', PROBLEM_JSON)
    .header('cache-control', 'no-store')
    .header('x-request-id', request.id)
    .serializer(JSON.stringify)
    .send(problemBody(problem.code, request.id, problem.extra));
}

/** Tells the metrics, and the log what is our fault. */
export function countProblem(
  parts: HttpParts,
  problem: Problem,
  request: FastifyRequest,
  cause: unknown,
): void {
  parts.metrics.problems.count(problem.code);
  if (problem.code !== 'internal') return;
  // The route's pattern, not the address: that may hold a caller's number.
  const error = cause instanceof Error ? { name: cause.name, stack: cause.stack } : { name: typeof cause };
  parts.logger.error(
    { requestId: request.id, method: request.method, route: request.routeOptions.url, error },
    'a request failed',
  );
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (!(error instanceof Error)) return new Problem('internal');
  const { validation, code, statusCode } = error as Error & Partial<FastifyError>;
  if (validation !== undefined) return badValue(schemaFaults(validation));
  const known = byFastifyCode[code ?? ''];
  if (known !== undefined) return new Problem(known);
  return new Problem(
    statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? 'badRequest' : 'internal',
  );
}

/** Whether a path falls under a route's pattern: `:name` is one part of it. */
function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, i) => part === given[i] || (part.startsWith(':') && given[i] !== ''))
  );
}
