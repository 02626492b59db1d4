/** Who may call a route. A route that declares nothing is open to nobody (auth.guard.ts). */
import { applyDecorators, createParamDecorator, SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Caller, RequiredRole } from '../keys/caller.js';
import type { ParsedToken } from '../keys/key-format.js';

/** Metadata: the least role, or `nobody` in particular. */
export const ACCESS = 'muster:access';
export type Access = RequiredRole | 'public';

/** Name of the security scheme in the OpenAPI document. */
export const KEY_SCHEME = 'key';

/** A request once the guard has let it in. */
export interface AuthenticatedRequest extends Request {
  caller?: Caller;
  /** Instead of a caller, where an enrolment token is asked for. */
  enrolmentToken?: ParsedToken;
}

/** The least role of people that may call it, `anyKey`, or `enrolmentToken`. On a class it holds for every route that says nothing else. */
export function Requires(role: RequiredRole): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, role satisfies Access), ApiBearerAuth(KEY_SCHEME), ApiExtension('x-requires', role));
}

/** Answers without a key. For files that hold no data, and for health. */
export function Public(): ClassDecorator & MethodDecorator {
  return SetMetadata(ACCESS, 'public' satisfies Access);
}

/** The verified caller. Only in routes that require a key. */
export const By = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (caller === undefined) throw new Error('A public route asked who is calling.');
  return caller;
});

/** The verified token. Only in routes that require one. */
export const Presented = createParamDecorator((_data: unknown, context: ExecutionContext): ParsedToken => {
  const { enrolmentToken } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (enrolmentToken === undefined) throw new Error('A route that requires no enrolment token asked for it.');
  return enrolmentToken;
});
