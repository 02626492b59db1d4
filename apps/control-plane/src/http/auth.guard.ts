import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { EnrolmentTokensService } from '../keys/enrolment-tokens.service.js';
import { JobTokens } from '../keys/job-tokens.js';
import { KeyVerifier } from '../keys/key-verifier.js';
import { mayAct } from '../keys/caller.js';
import type { Caller } from '../keys/caller.js';
import { holdsKey, parseKey } from '../keys/key-format.js';
import { ACCESS } from './access.js';
import type { Access, AuthenticatedRequest } from './access.js';
import { FailedAuthLimiter } from './failed-auth-limiter.js';
import { Refusal } from './refusal.js';

const HEADER_HINT = 'Send it as `Authorization: Bearer <key>`.';

/** Deny by default, on every route and verb: what declares no access is answered to nobody. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: KeyVerifier,
    private readonly tokens: EnrolmentTokensService,
    private readonly jobTokens: JobTokens,
    private readonly limiter: FailedAuthLimiter,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    refuseKeyInUrl(request.originalUrl);
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [context.getHandler(), context.getClass()]);
    if (access === 'public') return true;
    const bearer = bearerOf(request);
    if (access === 'enrolmentToken' && parseKey(bearer).kind === 'enrolmentToken') return this.admitToken(request, bearer);
    if (access === 'workerOrJob' && parseKey(bearer).kind === 'jobToken') return this.admitJob(request, bearer);
    const verdict = await this.keys.verify(bearer);
    if ('refused' in verdict) throw this.unauthenticated(request, verdict.hint);
    if (access === undefined || !mayAct(verdict.caller, access)) throw forbidden(access, verdict.caller);
    request.caller = verdict.caller;
    return true;
  }

  private async admitToken(request: AuthenticatedRequest, bearer: string): Promise<true> {
    const verdict = await this.tokens.verify(bearer);
    if ('refused' in verdict) throw this.unauthenticated(request, verdict.hint);
    request.enrolmentToken = verdict.token;
    return true;
  }

  private async admitJob(request: AuthenticatedRequest, bearer: string): Promise<true> {
    const verdict = await this.jobTokens.verify(bearer);
    if ('refused' in verdict) throw this.unauthenticated(request, verdict.hint);
    request.jobTerm = verdict.term;
    return true;
  }

  private unauthenticated(request: AuthenticatedRequest, hint: string): Refusal {
    const retryAfterSeconds = this.limiter.note(request.socket.remoteAddress);
    if (retryAfterSeconds === undefined) return new Refusal('unauthenticated', { detail: 'The key was refused.', hint });
    return new Refusal('tooManyRequests', {
      detail: 'Too many keys from this address were refused within a minute.',
      hint: `Correct the key, then wait ${retryAfterSeconds} s.`,
      retryAfterSeconds,
    });
  }
}

function forbidden(access: Access | undefined, { name, role }: Caller): Refusal {
  if (access === 'enrolmentToken') {
    return new Refusal('forbidden', {
      detail: `This needs an enrolment token; the key ${name} has the role ${role}.`,
      hint: 'Send the token itself; an admin makes one with `muster keys enrolment create`.',
    });
  }
  return new Refusal('forbidden', {
    detail: `This needs the role ${access ?? 'of nobody'}; the key ${name} has the role ${role}.`,
    hint: 'Use a key with that role; an admin makes one with `muster keys create`.',
  });
}

function bearerOf(request: AuthenticatedRequest): string {
  const [, key] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  if (key === undefined) throw new Refusal('unauthenticated', { detail: 'A key is needed and none was sent.', hint: HEADER_HINT });
  return key;
}

/** URLs end up in histories, proxies' logs and Referer headers. */
function refuseKeyInUrl(url: string): void {
  const names = /[?&](?:api_?key|access_?token|token|key|secret|password)=/i;
  if (!holdsKey(decoded(url)) && !names.test(url)) return;
  throw new Refusal('keyInUrl', {
    detail: 'The URL holds a key, or a field that is meant for one.',
    hint: `${HEADER_HINT} If it was a real key, revoke it: URLs are kept in many logs.`,
  });
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
