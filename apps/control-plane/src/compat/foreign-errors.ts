import { PROBLEMS } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { toRefusal } from '../http/problem.filter.js';
import { requestIdOf } from '../http/request-id.js';
import { ForeignRefusal } from './foreign-refusal.js';

/** Errors of another system: one field that holds a text, whatever went wrong. */
export abstract class ForeignErrors implements ExceptionFilter {
  constructor(
    /** The field in which that system's clients look for the text. */
    private readonly field: string,
    private readonly log: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const { status, message, retryAfterSeconds } = this.toForeign(error, request);
    // Bytes of a body nobody will read must not be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
    response.status(status).json({ [this.field]: message });
  }

  private toForeign(error: unknown, request: Request): ForeignRefusal {
    if (error instanceof ForeignRefusal) return error;
    const { code, parts } = toRefusal(error);
    if (code === 'internal') {
      this.log.error({ err: error, requestId: requestIdOf(request), method: request.method, path: request.path }, 'request failed');
    }
    return new ForeignRefusal(PROBLEMS[code].status, parts.detail, parts.retryAfterSeconds);
  }
}
