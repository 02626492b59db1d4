import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest } from '../../../http/access.js';
import { JobTokens } from '../../../keys/job-tokens.js';
import { ForeignKeys } from '../../foreign-keys.js';
import { ForeignRefusal } from '../../foreign-refusal.js';

/** The token that came with the claim of this very job, as `Authorization: Bearer`. */
@Injectable()
export class TrainingTokenGuard implements CanActivate {
  constructor(
    private readonly tokens: JobTokens,
    private readonly keys: ForeignKeys,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined) throw new ForeignRefusal(401, 'Authorization: the token of the job is needed as bearer, and none was sent.');
    const verdict = await this.tokens.verify(token);
    if ('refused' in verdict) {
      this.keys.noteFailure(request);
      throw new ForeignRefusal(401, `Authorization: the token was refused. ${verdict.hint}`);
    }
    if (verdict.term.jobId !== request.params['jobId']) throw new ForeignRefusal(403, 'The token is that of another job.');
    request.jobTerm = verdict.term;
    return true;
  }
}
