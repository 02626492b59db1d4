import { pino, stdTimeFunctions, stdSerializers, type Logger, type LevelWithSilent } from 'pino';
import { formatForPeople } from './logger-format.js';
import { redactLine } from './redact.js';

export type { Logger } from 'pino';

/** Somewhere lines go. `process.stdout` is one. */
export interface LineSink {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

export interface LoggerOptions {
  /** The program's part, in every line: `controlPlane`, `agent`. */
  readonly name: string;
  /** `info` unless told. */
  readonly level?: LevelWithSilent;
  /** `auto`: readable when the sink is a terminal, JSON otherwise. */
  readonly format?: 'auto' | 'json' | 'readable';
  /** Standard output unless told. */
  readonly sink?: LineSink;
}

/**
 * One event, one line: `log.info({ jobId, workerId }, 'lease expired')`. The message is a constant phrase, variables are
 * fields; bind ids once with `log.child({ workerId })`. Key-like fields, our own keys and credentials in addresses are
 * masked in the finished line, wherever in it they stand.
 */
export function createLogger(options: LoggerOptions): Logger {
  const sink: LineSink = options.sink ?? process.stdout;
  const format = options.format ?? 'auto';
  const isReadable = format === 'readable' || (format === 'auto' && sink.isTTY === true);
  const destination = {
    write: (line: string) => {
      const safe = redactLine(line);
      sink.write(isReadable ? formatForPeople(safe) : safe);
    },
  };
  return pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      base: {},
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
    },
    destination,
  );
}
