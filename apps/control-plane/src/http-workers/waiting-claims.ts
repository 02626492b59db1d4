import { Injectable } from '@nestjs/common';
import type { KeyId, Offer, WorkerId } from '@muster/protocol';
import type { Credential, EndedBy } from '../keys/credential.js';
import type { Sender } from '../worker-life/worker-desk.js';

/** Requests of one worker that may wait here at once. */
export const WAITING_PER_WORKER_MAX = 256;

/** A job as it is granted to whoever asked for one. */
export type Grant = Omit<Offer, 'offerTtlMs'>;

/** How a wait ended. `nothing`: the time was over, or nobody waits for the answer any more. */
export type ClaimOutcome =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'superseded' | 'removed' | 'keyRevoked' };

/** One request for one job, and what it came with. */
export type Waiting = Sender & Credential;

type Waiter = Waiting & { readonly settle: (outcome: ClaimOutcome) => void };

/**
 * The requests for a job that wait here. Each is a credit of one: a claim of this replica grants a worker without a socket as many
 * jobs as requests of it wait, and none when none does.
 */
@Injectable()
export class WaitingClaims {
  private readonly waiters = new Map<WorkerId, Waiter[]>();
  private count = 0;
  private notice: () => void = () => undefined;
  private returned: (sender: Sender, grant: Grant) => void = () => undefined;

  get size(): number {
    return this.count;
  }

  /** Each shows that its worker lives, over and over: more of one worker would be a load and bring it nothing. */
  hasPlaceFor(workerId: WorkerId): boolean {
    return (this.waiters.get(workerId)?.length ?? 0) < WAITING_PER_WORKER_MAX;
  }

  isAsking(workerId: WorkerId): boolean {
    return this.waiters.has(workerId);
  }

  /** How many jobs are asked for, by whom. */
  asked(): ReadonlyMap<WorkerId, number> {
    return new Map([...this.waiters].map(([workerId, waiters]) => [workerId, waiters.length]));
  }

  /** @param listener told when a request begins to wait */
  onAsked(listener: () => void): void {
    this.notice = listener;
  }

  /** @param listener told of a grant that nobody waits for any more */
  onReturned(listener: (sender: Sender, grant: Grant) => void): void {
    this.returned = listener;
  }

  /** Waits for a job until `stop` is called, which ends the wait with `nothing` if nothing else did. */
  wait(waiting: Waiting): { readonly outcome: Promise<ClaimOutcome>; readonly stop: () => void } {
    let settle: (outcome: ClaimOutcome) => void = () => undefined;
    const outcome = new Promise<ClaimOutcome>((resolve) => (settle = resolve));
    const waiter: Waiter = { ...waiting, settle };
    this.waiters.set(waiting.workerId, [...(this.waiters.get(waiting.workerId) ?? []), waiter]);
    this.count += 1;
    this.notice();
    return { outcome, stop: () => this.end(waiter, { kind: 'nothing' }) };
  }

  /**
   * Hands a grant to the request of its worker that has waited longest, or returns it when none of this session waits any
   * more. Requests of an older session are told that they are superseded.
   */
  give(sender: Sender, grant: Grant): void {
    const { workerId, session } = sender;
    this.endOlder(workerId, session - 1, 'superseded');
    const first = this.waiters.get(workerId)?.find((waiter) => waiter.session === session);
    if (first === undefined) this.returned(sender, grant);
    else this.end(first, { kind: 'granted', grant });
  }

  /** Ends the waits of this worker's sessions up to one. */
  endOlder(workerId: WorkerId, session: number, kind: 'superseded' | 'removed' | 'keyRevoked'): void {
    for (const waiter of this.waiters.get(workerId) ?? []) if (waiter.session <= session) this.end(waiter, { kind });
  }

  endOfKey(keyId: KeyId): void {
    for (const waiter of this.all()) if (waiter.keyId === keyId) this.end(waiter, { kind: 'keyRevoked' });
  }

  /** What the requests that wait here came with. */
  credentials(): Credential[] {
    return this.all();
  }

  /** Ends the waits that came with something that works no more. Whose secret was replaced finds out by asking again. */
  closeEnded(ended: (credential: Credential) => EndedBy | undefined): void {
    for (const waiter of this.all()) {
      const by = ended(waiter);
      if (by !== undefined) this.end(waiter, { kind: by === 'key' ? 'keyRevoked' : 'nothing' });
    }
  }

  endAll(): void {
    for (const waiter of this.all()) this.end(waiter, { kind: 'nothing' });
  }

  private all(): Waiter[] {
    return [...this.waiters.values()].flat();
  }

  private end(waiter: Waiter, outcome: ClaimOutcome): void {
    const { workerId } = waiter;
    const waiters = this.waiters.get(workerId) ?? [];
    if (!waiters.includes(waiter)) return;
    const left = waiters.filter((other) => other !== waiter);
    if (left.length > 0) this.waiters.set(workerId, left);
    else this.waiters.delete(workerId);
    this.count -= 1;
    waiter.settle(outcome);
  }
}
