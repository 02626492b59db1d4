import { Catch, HttpException, Inject } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { PROBLEMS } from '@muster/protocol';
import type { Problem, ProblemCode } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import type { Request, Response } from 'express';
import { LOGGER } from '../core.module.js';
import { isExhausted, isLostRace, isTooSlow, isUnavailable } from '../database/database-errors.js';
import { Refusal } from './refusal.js';
import { requestIdOf } from './request-id.js';

const UNAVAILABLE_RETRY_SECONDS = 2;

/** Where every error becomes an answer (RFC 9457). What is no refusal is a bug: logged with its stack, answered without. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const refusal = toRefusal(error);
    const requestId = requestIdOf(request);
    if (refusal.code === 'internal') this.log.error({ err: error, requestId, method: request.method, path: request.path }, 'request failed');
    if (isLostRace(error)) this.log.warn({ err: error, requestId, method: request.method, path: request.path }, 'request met another one and was not carried out');
    if (isTooSlow(error)) this.log.warn({ err: error, requestId, method: request.method, path: request.path }, 'request took the database too long and was broken off');
    if (response.headersSent) {
      // An answer that has begun can only be broken off, so that the reader notices.
      response.destroy();
      return;
    }
    // Bytes of a body nobody will read must not be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    if (refusal.code === 'unauthenticated') response.setHeader('WWW-Authenticate', 'Bearer realm="muster"');
    const { retryAfterSeconds } = refusal.parts;
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
    const problem = toProblem(refusal, requestId);
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}

/** Exported for sockets and followers, which answer with the same words. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isExhausted(error)) {
    return new Refusal('unavailable', {
      detail: 'The database has no disk space or memory left.',
      hint: 'Make room for PostgreSQL and try again; with the same Idempotency-Key nothing is stored twice.',
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
      cause: error,
    });
  }
  if (isUnavailable(error)) {
    return new Refusal('unavailable', {
      detail: 'The database cannot be reached or is overloaded; whether anything was stored is unknown.',
      hint: 'Try again; with the same Idempotency-Key nothing is stored twice.',
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
      cause: error,
    });
  }
  if (isLostRace(error)) {
    return new Refusal('unavailable', {
      detail: 'Another request changed the same at the same moment; nothing of this one is stored.',
      hint: 'Try again: it then finds what the other left.',
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
      cause: error,
    });
  }
  if (isTooSlow(error)) {
    return new Refusal('unavailable', {
      detail: 'The database took too long; nothing of this request is stored.',
      hint: 'Try again later; if it stays, see what the database is busy with.',
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
      cause: error,
    });
  }
  if (error instanceof HttpException || error instanceof URIError || hasStatus(error)) return fromFramework(error);
  return new Refusal('internal', {
    detail: 'Muster made a mistake while answering; it is in its log under this request id.',
    hint: 'Try again; if it stays, report it with the request id.',
    cause: error,
  });
}

/** What Nest and Express refuse by themselves: unknown routes and addresses that do not decode. */
function fromFramework(error: unknown): Refusal {
  const status = error instanceof HttpException ? error.getStatus() : hasStatus(error) ? error.status : 400;
  const code = codeOfStatus(status);
  const detail = code === 'notFound' ? 'There is nothing at this address.' : 'The address cannot be read.';
  return new Refusal(code, { detail, hint: 'See /api/docs for every address.', cause: error });
}

function codeOfStatus(status: number): ProblemCode {
  if (status === 404) return 'notFound';
  return status >= 400 && status < 500 ? 'invalidRequest' : 'internal';
}

function hasStatus(error: unknown): error is { readonly status: number } {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number';
}

export function toProblem(refusal: Refusal, requestId: string): Problem {
  const { status, title } = PROBLEMS[refusal.code];
  const { detail, hint, errors, currentState, allowedActions } = refusal.parts;
  return {
    type: `/problems/${refusal.code}`,
    title,
    status,
    code: refusal.code,
    detail,
    hint,
    requestId,
    ...(errors === undefined ? {} : { errors }),
    ...(currentState === undefined ? {} : { currentState }),
    ...(allowedActions === undefined ? {} : { allowedActions }),
  };
}
