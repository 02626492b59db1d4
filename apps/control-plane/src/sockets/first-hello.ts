import { TIMES } from '@muster/protocol';
import type { Clock } from '@muster/runtime';

/** The hello has lain somewhere, for instance in a replica that stood still; who sent it may be no more. */
export class LateFirstHello extends Error {
  constructor(ageMs: number) {
    super(`The first hello of a connection came ${Math.round(ageMs / 1_000)} s after it.`);
  }
}

/**
 * Knows how old a connection is. A hello of an agent that has long been followed by another start must not take the worker
 * from it, and the worker's silence, by which such hellos are told from restored copies, is no proof when replicas stand still.
 */
export class FirstHello {
  private readonly connectedAtMs: number;

  constructor(private readonly clock: Clock) {
    this.connectedAtMs = clock.monotonicMs();
  }

  /** @throws LateFirstHello; said anew on a new connection it is taken */
  check(): void {
    const ageMs = this.clock.monotonicMs() - this.connectedAtMs;
    if (ageMs > TIMES.firstHelloWithinMs) throw new LateFirstHello(ageMs);
  }
}
