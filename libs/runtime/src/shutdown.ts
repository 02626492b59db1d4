import { constants } from 'node:os';
import { createSystemClock, type Clock } from './clock.js';

/** npm and the terminal both deliver one Ctrl-C: signals closer together than this are one wish. */
export const SIGNAL_MERGE_MS = 500;

export interface ShutdownOptions {
  /**
   * Runs once, on the first signal. The process ends when it settles: with the number it resolves to, 0 when it
   * resolves to nothing, 1 when it rejects.
   */
  readonly run: (reason: string) => Promise<number | void>;
  /** Runs on every later signal. Ends the process at once with 128 + signal number unless told otherwise. */
  readonly insist?: (reason: string) => void;
  /** The shutdown itself failed; told before the process ends with 1. */
  readonly onError?: (error: unknown) => void;
  /** SIGINT, SIGTERM and SIGHUP unless told. */
  readonly signals?: readonly NodeJS.Signals[];
  readonly clock?: Clock;
  /** Where signals come from and the process ends; given only by tests. */
  readonly process?: SignalSource;
}

/** The part of `process` that a shutdown touches. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

export interface Shutdown {
  /** True from the first signal or request on. */
  readonly isRequested: boolean;
  /** Shuts down as the first signal would, for reasons that are not signals (a lost parent, a fatal error). Never insists. */
  request(reason: string): void;
  /** Stops listening: signals have their default effect again. */
  dispose(): void;
}

/** First signal: `run`. Second: `insist`. Install it once, in `main.ts`, before anything slow begins. */
export function installShutdown(options: ShutdownOptions): Shutdown {
  const source: SignalSource = options.process ?? process;
  const clock = options.clock ?? createSystemClock();
  const signals = options.signals ?? ['SIGINT', 'SIGTERM', 'SIGHUP'];
  let isRequested = false;
  let countedAtMs = Number.NEGATIVE_INFINITY;

  const begin = (reason: string): void => {
    isRequested = true;
    Promise.resolve()
      .then(() => options.run(reason))
      .then(
        (code) => source.exit(code ?? 0),
        (error: unknown) => {
          options.onError?.(error);
          source.exit(1);
        },
      );
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = clock.monotonicMs();
    // Measured from the last signal that counted, so somebody hammering Ctrl-C is heard twice a second, not never.
    if (nowMs - countedAtMs < SIGNAL_MERGE_MS) return;
    countedAtMs = nowMs;
    if (!isRequested) begin(signal);
    else if (options.insist) options.insist(signal);
    else source.exit(exitCodeOfSignal(signal));
  };

  for (const signal of signals) source.on(signal, onSignal);
  return {
    get isRequested() {
      return isRequested;
    },
    request: (reason) => {
      if (!isRequested) begin(reason);
    },
    dispose: () => {
      for (const signal of signals) source.off(signal, onSignal);
    },
  };
}

/** What a shell reports for a process that a signal ended: 130 for SIGINT, 143 for SIGTERM. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0);
}
