import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@muster/runtime';

/** Nest's own lines: its warnings and errors are ours too, its chatter at start is for those who look for it. */
export function nestLogger(log: Logger): LoggerService {
  const told = log.child({ part: 'nest' });
  return {
    log: (message: unknown) => told.debug(String(message)),
    debug: (message: unknown) => told.debug(String(message)),
    verbose: (message: unknown) => told.trace(String(message)),
    warn: (message: unknown) => told.warn(String(message)),
    error: (message: unknown, stack?: unknown) => told.error({ stack }, String(message)),
    fatal: (message: unknown) => told.fatal(String(message)),
  };
}
