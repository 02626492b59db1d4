import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest } from '../../http/access.js';
import { ForeignKeys } from '../foreign-keys.js';

/** The worker key that the workers registered with, as `Authorization: Bearer`: asked for wherever their ids can be read. */
@Injectable()
export class MoragBearerGuard implements CanActivate {
  constructor(private readonly keys: ForeignKeys) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    request.caller = await this.keys.callerBy(token, 'Authorization', request);
    return true;
  }
}
