import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { KeysModule } from '../keys/keys.module.js';
import { AuthGuard } from './auth.guard.js';
import { BodyInterceptor } from './body.interceptor.js';
import { DocsController } from './docs.controller.js';
import { FailedAuthLimiter } from './failed-auth-limiter.js';
import { HealthController } from './health.controller.js';
import { HomeController } from './home.controller.js';
import { MetaController } from './meta.controller.js';
import { OpenApiHolder } from './openapi-holder.js';
import { ProblemFilter } from './problem.filter.js';
import { Readiness } from './readiness.js';
import { UnknownRouteController } from './unknown-route.controller.js';
import { ValidationPipe } from './validation.pipe.js';

/** The edge: who may, how much, what shape, and how no is said. For every route of the application, once. */
@Module({
  imports: [KeysModule],
  controllers: [HomeController, HealthController, DocsController, MetaController],
  providers: [
    FailedAuthLimiter,
    OpenApiHolder,
    Readiness,
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_INTERCEPTOR, useClass: BodyInterceptor },
    { provide: APP_PIPE, useClass: ValidationPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [FailedAuthLimiter],
})
export class HttpModule {}

/** Import it last: it answers whatever is left. */
@Module({ controllers: [UnknownRouteController] })
export class UnknownRouteModule {}
