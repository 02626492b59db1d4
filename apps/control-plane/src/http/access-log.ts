import type { ServerResponse } from 'node:http';
import type { Logger } from '@muster/runtime';
import { pinoHttp } from 'pino-http';
import type { HttpLogger } from 'pino-http';
import { requestIdOf } from './request-id.js';

/** One line per request. Neither headers nor the query are logged: both may hold what is nobody's business. */
export function createAccessLog(log: Logger): HttpLogger {
  return pinoHttp({
    logger: log,
    quietReqLogger: true,
    genReqId: (request) => requestIdOf(request),
    customLogLevel: (_request, response, error) => levelOf(response, error),
    customSuccessMessage: () => 'request answered',
    customErrorMessage: () => 'request failed',
    customReceivedMessage: undefined,
    serializers: {
      req: (request: { id: string; method: string; url: string; remoteAddress?: string }) => ({
        id: request.id,
        method: request.method,
        path: request.url.split('?', 1)[0],
        remoteAddress: request.remoteAddress,
      }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
    },
  });
}

/** What went well is quiet: the events say what changed. */
function levelOf(response: ServerResponse, error?: Error): 'debug' | 'info' | 'warn' {
  if (error !== undefined || response.statusCode >= 500) return 'warn';
  return response.statusCode >= 400 ? 'info' : 'debug';
}
