import type { ServerResponse } from 'node:http';
import type { Logger } from '@muster/runtime';
import type { Request } from 'express';
import { requestIdOf } from './request-id.js';

/**
 * One line for each request once it is over, whichever side ended it. Neither headers nor the query are logged: both may
 * hold what is nobody's business.
 *
 * Written here because most lines are never shown: `pino-http` makes two loggers for each request before it knows, which
 * took 0.1 ms of the processor.
 */
export function logAccess(log: Logger, request: Request, response: ServerResponse): void {
  const beganMs = performance.now();
  // A connection that is gone no longer tells.
  const { remoteAddress } = request.socket;
  const say = (error?: Error): void => {
    const level = levelOf(response, error);
    if (!log.isLevelEnabled(level)) return;
    const req = { id: requestIdOf(request), method: request.method, path: request.originalUrl.split('?', 1)[0], remoteAddress };
    const line = { req, res: { status: response.statusCode }, responseTime: Math.round(performance.now() - beganMs) };
    if (level === 'warn') log.warn({ ...line, err: error }, 'request failed');
    else log[level](line, 'request answered');
  };
  response.once('close', () => say());
  // Without a listener it would end the process.
  response.on('error', say);
}

/** What went well is quiet: the events say what changed. */
function levelOf(response: ServerResponse, error?: Error): 'debug' | 'info' | 'warn' {
  if (error !== undefined || response.statusCode >= 500) return 'warn';
  return response.statusCode >= 400 ? 'info' : 'debug';
}
