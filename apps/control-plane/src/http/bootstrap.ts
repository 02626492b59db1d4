import type { NestApplicationOptions } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from '@muster/runtime';
import helmet from 'helmet';
import { createAccessLog } from './access-log.js';
import { serveDocument } from './openapi.js';
import { echoRequestId } from './request-id.js';

/**
 * How the application is created: `NestFactory.create(AppModule, new HttpAdapter(), HTTP_OPTIONS)`.
 * Bodies are read by `BodyInterceptor`, after the guard.
 */
export const HTTP_OPTIONS: NestApplicationOptions = { bodyParser: false };

const SELF = ["'self'"];

/** What every answer goes through, before any route. Call it once, before `listen`. */
export function configureHttp(app: NestExpressApplication, log: Logger): void {
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(echoRequestId);
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: SELF,
          // Swagger UI draws its icons from data URLs.
          imgSrc: ["'self'", 'data:'],
          objectSrc: ["'none'"],
          baseUri: SELF,
          formAction: SELF,
          frameAncestors: ["'none'"],
        },
      },
      frameguard: { action: 'deny' },
      referrerPolicy: { policy: 'no-referrer' },
    }),
  );
  app.use(createAccessLog(log));
  serveDocument(app);
}
