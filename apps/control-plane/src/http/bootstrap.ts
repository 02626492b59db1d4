import type { NestApplicationOptions } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from '@muster/runtime';
import type { NextFunction, Request, Response } from 'express';
import { logAccess } from './access-log.js';
import { constantHeaders } from './constant-headers.js';
import { serveDocument } from './openapi.js';
import { echoRequestId } from './request-id.js';

/**
 * How the application is created: `NestFactory.create(AppModule, new HttpAdapter(), HTTP_OPTIONS)`.
 * Bodies are read by `BodyInterceptor`, after the guard.
 */
export const HTTP_OPTIONS: NestApplicationOptions = { bodyParser: false };

/** What every answer goes through, before any route. Call it once, before `listen`. */
export function configureHttp(app: NestExpressApplication, log: Logger): void {
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  const headers = constantHeaders();
  app.use((request: Request, response: Response, next: NextFunction) => {
    echoRequestId(request, response);
    for (const [name, value] of headers) response.setHeader(name, value);
    logAccess(log, request, response);
    next();
  });
  serveDocument(app);
}
