import { applyDecorators, Controller, UseFilters } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AnyMedia } from '../http/body.interceptor.js';
import type { ForeignErrors } from './foreign-errors.js';

/**
 * Below `/compat`, word for word what clients of another system expect (docs/compat.md): no part of our own interface, and
 * its errors are that system's.
 */
export function ForeignController(path: string, errors: Type<ForeignErrors>): ClassDecorator {
  return applyDecorators(UseFilters(errors), AnyMedia(), ApiExcludeController(), Controller(`compat/${path}`));
}
