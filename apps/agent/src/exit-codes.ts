import { EXIT_CODE_CONFIG } from '@muster/runtime';

/** How the agent ends, for whoever started it. A service manager restarts on 1 and on a signal, never on the others. */
export const EXIT_CODES = {
  /** Asked to end; jobs live on, or were stopped if that was asked. */
  asked: 0,
  /** A newer agent with this identity is connected: this one has nothing left to do, and must not fight it. */
  superseded: 0,
  /** Something in the agent failed. Starting it again adopts its jobs. */
  failed: 1,
  /** Configuration, key, protocol version or state directory: starting it again unchanged cannot work (`EX_CONFIG`). */
  cannotWork: EXIT_CODE_CONFIG,
} as const;

/** The agent cannot work as it is set up; ends the process with 78. The message is for the operator, secrets left out. */
export class CannotWork extends Error {
  readonly exitCode = EXIT_CODES.cannotWork;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CannotWork';
  }
}
