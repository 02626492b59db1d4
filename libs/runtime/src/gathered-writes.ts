import type { Writable } from 'node:stream';

/**
 * Sends what one turn of the event loop writes to a socket as one piece. Each system call that writes to a socket wakes
 * whoever reads it, which costs more than what it carries; messages of one moment need only one.
 *
 * A message that is alone goes out in its turn too: once what has arrived is looked at, and before anything new is waited for.
 */
export class GatheredWrites {
  private isGathering = false;

  constructor(private readonly socket: Pick<Writable, 'cork' | 'uncork'>) {}

  /** Call it before each write. Ending the socket sends what was gathered, destroying it does not. */
  gather(): void {
    if (this.isGathering) return;
    this.isGathering = true;
    this.socket.cork();
    // Not the next tick: what other events of this turn lead to, and what follows the answers to a commit, would go alone.
    setImmediate(this.sendNow);
  }

  /** Sends what was gathered at once: nothing more is going to be written. */
  readonly sendNow = (): void => {
    if (!this.isGathering) return;
    this.isGathering = false;
    this.socket.uncork();
  };
}
