import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { FailedAuthLimiter } from '../http/failed-auth-limiter.js';
import type { Caller } from '../keys/caller.js';
import { KeyVerifier } from '../keys/key-verifier.js';
import { ForeignRefusal } from './foreign-refusal.js';

/**
 * More than our own interface allows: a rack of machines behind one address, each with a key that was revoked, comes again and
 * again, and its clients know no 429.
 */
const FAILURES_PER_MINUTE_MAX = 300;

/** Whose key it is that came in a place of another system's own: a field of the body, a header. */
@Injectable()
export class ForeignKeys {
  constructor(
    private readonly keys: KeyVerifier,
    private readonly limiter: FailedAuthLimiter,
  ) {}

  /**
   * @param place under which name the other system knows it; stands in every refusal
   * @throws ForeignRefusal 401, 403 for a key that is no worker's, or 429
   */
  async callerBy(text: unknown, place: string, request: Request): Promise<Caller> {
    if (typeof text !== 'string' || text === '') throw new ForeignRefusal(401, `${place}: a worker key is needed and none was sent.`);
    const verdict = await this.keys.verify(text);
    if ('refused' in verdict) {
      this.noteFailure(request);
      throw new ForeignRefusal(401, `${place}: the key was refused. ${verdict.hint}`);
    }
    if (verdict.caller.role !== 'worker') {
      throw new ForeignRefusal(403, `${place}: this needs the role worker; the key has the role ${verdict.caller.role}.`);
    }
    return verdict.caller;
  }

  /**
   * For refusals by which somebody could try out what exists: refused keys, and ids of workers that nobody has.
   *
   * @throws ForeignRefusal 429 instead, when there were too many from this address
   */
  noteFailure(request: Request): void {
    const retryAfterSeconds = this.limiter.note(request.socket.remoteAddress, FAILURES_PER_MINUTE_MAX);
    if (retryAfterSeconds === undefined) return;
    throw new ForeignRefusal(429, `Too many requests from this address were refused; wait ${retryAfterSeconds} s.`, retryAfterSeconds);
  }
}
