import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest } from '../../http/access.js';
import { ForeignKeys } from '../foreign-keys.js';

/** A worker key as `X-API-Key`. One in the body does not count. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly keys: ForeignKeys) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    request.caller = await this.keys.callerBy(request.headers['x-api-key'], 'X-API-Key', request);
    return true;
  }
}
