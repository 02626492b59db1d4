import type { Logger, LoopOptions } from '@muster/runtime';
import { isUnavailable } from './database/database-errors.js';

/** What a loop says of ticks that failed: an outage of the database once, and any other failure each time. */
export function tellFailures(log: Logger, message: string): LoopOptions['onError'] {
  return (error, failures) => {
    if (failures === 1 || !isUnavailable(error)) log.warn({ err: error }, message);
  };
}
