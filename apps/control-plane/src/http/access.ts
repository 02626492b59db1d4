/** Who may call a route. A route that declares nothing is open to nobody (auth.guard.ts). */
import { applyDecorators, createParamDecorator, SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Caller, RequiredRole } from '../keys/caller.js';
import type { JobTerm } from '../keys/job-tokens.js';
import type { ParsedToken } from '../keys/key-format.js';

/** Metadata: the least role, or `nobody` in particular. */
export const ACCESS = 'muster:access';
/** Metadata: what a public route asks for instead, in words. */
export const INSTEAD_OF_KEY = 'muster:insteadOfKey';
export type Access = RequiredRole | 'public';

/** Name of the security scheme in the OpenAPI document. */
export const KEY_SCHEME = 'key';

/** A request once the guard has let it in. */
export interface AuthenticatedRequest extends Request {
  caller?: Caller;
  /** Instead of a caller, where an enrolment token is asked for. */
  enrolmentToken?: ParsedToken;
  /** Instead of a caller, where the token of an attempt will do. */
  jobTerm?: JobTerm;
}

/** The least role of people that may call it, `anyKey`, or `enrolmentToken`. On a class it holds for every route that says nothing else. */
export function Requires(role: RequiredRole): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, role satisfies Access), ApiBearerAuth(KEY_SCHEME), ApiExtension('x-requires', role));
}

/**
 * Answers without a key in its usual place. For files that hold no data, and for health; and where the contract of another
 * system, which we did not write, wants a credential elsewhere or none.
 *
 * @param why what stands in the place of a key; absent: there is nothing to protect
 */
export function Public(why?: string): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, 'public' satisfies Access), SetMetadata(INSTEAD_OF_KEY, why));
}

/** The verified caller. Only in routes that require a key. */
export const By = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (caller === undefined) throw new Error('A public route asked who is calling.');
  return caller;
});

/** Who speaks of an attempt: a worker by its key, or the attempt itself by its token. */
export type Speaker = { readonly caller: Caller } | { readonly jobTerm: JobTerm };

/** Only in routes that require `workerOrJob`. */
export const SpokenBy = createParamDecorator((_data: unknown, context: ExecutionContext): Speaker => {
  const { caller, jobTerm } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (jobTerm !== undefined) return { jobTerm };
  if (caller === undefined) throw new Error('A public route asked who is speaking.');
  return { caller };
});

/** The job whose token was verified by a guard of the route's own. */
export const ByJob = createParamDecorator((_data: unknown, context: ExecutionContext): JobTerm => {
  const { jobTerm } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (jobTerm === undefined) throw new Error('A route that verified no job token asked whose it was.');
  return jobTerm;
});

/** The verified token. Only in routes that require one. */
export const Presented = createParamDecorator((_data: unknown, context: ExecutionContext): ParsedToken => {
  const { enrolmentToken } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (enrolmentToken === undefined) throw new Error('A route that requires no enrolment token asked for it.');
  return enrolmentToken;
});
