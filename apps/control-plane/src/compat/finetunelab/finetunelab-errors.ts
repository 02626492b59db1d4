import { Catch, Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@muster/runtime';
import { LOGGER } from '../../core.module.js';
import { ForeignErrors } from '../foreign-errors.js';

@Catch()
@Injectable()
export class FinetunelabErrors extends ForeignErrors {
  constructor(@Inject(LOGGER) log: Logger) {
    super('error', log);
  }
}
