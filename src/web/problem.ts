// errors -> problem+json (RFC 9457), the only form in which the API says no
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { PosternError } from '../model/errors.ts';

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:postern:problem: and the code' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What to do about it' }),
    code: Type.String({ description: 'Stable, in kebab-case' }),
    field: Type.Optional(Type.String({ description: 'The part of the request that is refused' })),
  },
  { title: 'Problem' },
);

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'An API key is needed',
  403: 'This key may not do that',
  404: 'Not found',
  409: 'In conflict with what is stored',
  412: 'Changed meanwhile',
  413: 'The body is too large',
  415: 'Only JSON is taken',
  428: 'If-Match is needed',
  500: 'Something failed here',
  503: 'Not available',
};

export class ProblemError extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly field?: string;
  constructor(statusCode: number, code: string, message: string, field?: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
    this.field = field;
  }
}

export function problem(status: number, code: string, detail: string, field?: string): ProblemError {
  return new ProblemError(status, code, detail, field);
}

export const notFound = (what: string): ProblemError => problem(404, 'not-found', `there is no such ${what}`);

/** A row that must be there. Throws 404. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw notFound(what);
  return value;
}

/** Another device, endpoint... has the name. */
export const nameTaken = (what: string, name: string): ProblemError =>
  problem(409, 'name-taken', `another ${what} is called ${name}`, 'name');

/** PostgreSQL's error of a write that breaks a unique index. */
export const isTaken = (error: unknown): boolean => (error as { code?: unknown }).code === '23505';

/** Runs a check of the model on a field; what it throws is a problem of that field. */
export function checked<T>(field: string, code: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw problem(400, code, (error as Error).message, field);
  }
}

/** The same for each text of a list; names the entry that is refused. */
export function checkEach(field: string, texts: readonly string[], check: (text: string) => unknown): void {
  for (const [i, text] of texts.entries()) checked(`${field}.${i}`, `bad-${field}`, () => check(text));
}

/** Codes of PosternError that are the caller's doing. */
const CALLERS_FAULT = new Set(['bad-endpoint', 'forbidden-address', 'unknown-vendor', 'bad-payload']);

export function sendError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) {
  const { statusCode = 500, code = 'error' } = error as Partial<FastifyError>;
  if (error instanceof ProblemError) return sendProblem(reply, error);
  if (error instanceof PosternError && CALLERS_FAULT.has(error.code))
    return sendProblem(reply, problem(400, error.code, error.message));
  if (statusCode >= 400 && statusCode < 500) {
    const name = code
      .toLowerCase()
      .replace(/^fst_(err_)?(ctp_)?/, '')
      .replaceAll('_', '-');
    return sendProblem(reply, problem(statusCode, name, error.message));
  }
  request.log.error(
    { err: error, method: request.method, route: request.routeOptions.url },
    'a request failed',
  );
  return sendProblem(reply, problem(500, 'internal', 'the reason is in the log of the service'));
}

export function sendNotFound(_request: FastifyRequest, reply: FastifyReply) {
  return sendProblem(
    reply,
    problem(404, 'no-such-route', 'there is nothing here; /docs lists what there is'),
  );
}

function sendProblem(reply: FastifyReply, { statusCode, code, message, field }: ProblemError) {
  if (statusCode === 401) reply.header('www-authenticate', 'Bearer realm="postern"');
  return reply
    .code(statusCode)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({
      type: `urn:postern:problem:${code}`,
      title: TITLES[statusCode] ?? 'Refused',
      status: statusCode,
      detail: message,
      code,
      ...(field === undefined ? {} : { field }),
    });
}
