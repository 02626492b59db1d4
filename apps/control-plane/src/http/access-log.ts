import type { ServerResponse } from 'node:http';
import type { Logger } from '@muster/runtime';
import type { Request } from 'express';
import { requestIdOf } from './request-id.js';

/**
 * One line for each request once it is over, whichever side ended it; without a status where the client was gone before it
 * was told. Neither headers nor the query are logged: both may
 * hold what is nobody's business.
 *
 * Written here because most lines are never shown: `pino-http` makes two loggers for each request before it knows, which
 * took 0.1 ms of the processor.
 */
export function logAccess(log: Logger, request: Request, response: ServerResponse): void {
  const beganMs = performance.now();
  // A connection that is gone no longer tells.
  const { remoteAddress } = request.socket;
  let failure: Error | undefined;
  response.once('close', () => {
    const level = levelOf(response, failure);
    if (!log.isLevelEnabled(level)) return;
    const req = { id: requestIdOf(request), method: request.method, path: request.originalUrl.split('?', 1)[0], remoteAddress };
    const res = { status: response.headersSent ? response.statusCode : null };
    const line = { req, res, responseTime: Math.round(performance.now() - beganMs) };
    if (failure) log.warn({ ...line, err: failure }, 'request failed');
    else log[level](line, response.writableFinished ? 'request answered' : 'request left by its client');
  });
  // Without a listener it would end the process.
  response.on('error', (error) => (failure ??= error));
}

/** What went well is quiet: the events say what changed. */
function levelOf(response: ServerResponse, error?: Error): 'debug' | 'info' | 'warn' {
  if (error !== undefined || response.statusCode >= 500) return 'warn';
  return response.statusCode >= 400 ? 'info' : 'debug';
}
