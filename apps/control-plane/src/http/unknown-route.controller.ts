import { All, Controller, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { Requires } from './access.js';
import { Refusal } from './refusal.js';

/**
 * Every address and verb that no other route answers. It needs a key like the others, so that without one nobody learns
 * which addresses exist. Must be the last controller of the application.
 */
@Requires('anyKey')
@ApiExcludeController()
@Controller()
export class UnknownRouteController {
  @All('{*path}')
  refuseUnknownRoute(@Req() request: Request): never {
    throw new Refusal('notFound', {
      detail: `There is nothing at ${request.method} ${request.path.slice(0, 200)}.`,
      hint: 'See /api/docs for every address.',
    });
  }
}
