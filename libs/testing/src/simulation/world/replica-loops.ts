/** What a replica does without being asked: it offers jobs to the workers connected here, and decides about what is over. */
import { Random } from './random.js';
import type { Replica } from './replica.js';
import type { World } from './world.js';

export class ReplicaLoops {
  private isWoken = false;
  private readonly random: Random;

  constructor(
    private readonly world: World,
    private readonly replica: Replica,
  ) {
    this.random = new Random(world.settings.seed ^ (0x51ed270b + replica.index));
  }

  /** For this start of the replica; its death ends them. */
  begin(): void {
    const { startCount } = this.replica;
    const every = (intervalMs: number, run: () => void): void => {
      this.world.after(this.random.between(0.8, 1.2) * intervalMs, () => {
        if (!this.replica.isAlive || this.replica.startCount !== startCount) return;
        if (!this.replica.isFrozen) run();
        every(intervalMs, run);
      });
    };
    every(this.world.settings.dispatchEveryMs, () => this.dispatch());
    every(this.world.settings.sweepEveryMs, () => this.sweep());
  }

  wake(): void {
    if (this.isWoken) return;
    this.isWoken = true;
    this.world.after(this.random.between(1, 10), () => {
      this.isWoken = false;
      if (this.replica.isAlive && !this.replica.isFrozen) this.dispatch();
    });
  }

  private dispatch(): void {
    const { database } = this.world;
    if (!database.isUp || database.tables.queued.size === 0) return;
    const asked = this.replica.http.asked();
    const workerIds = new Set([...this.replica.workerIds, ...asked.keys()]);
    if (workerIds.size === 0) return;
    // In an order that every process can name: the product decides between equals by their place.
    const profiles = new Map([...workerIds].sort().map((id) => [id, this.world.profileOf(id)]));
    const decision = database.claim({ profiles, asked });
    if (decision === undefined) return;
    this.replica.step(0, () => {
      this.replica.http.handOver(decision.notices);
      this.replica.announce(decision.notices);
    });
  }

  /** What is found now is decided a little later: a renewal may come in between. */
  private sweep(): void {
    const { database, random, settings } = this.world;
    if (!database.isUp) return;
    const { nowMs, tables } = database;
    for (const { id, leaseUntilMs } of tables.live.values()) {
      if (leaseUntilMs !== null && leaseUntilMs <= nowMs) this.sweepAttempt(id);
    }
    for (const id of tables.queued) {
      const untilMs = tables.jobs.get(id)?.queueUntilMs;
      if (untilMs != null && untilMs <= nowMs) this.replica.step(random.between(0, 300), () => this.replica.decide({ type: 'sweepQueued', jobId: id }));
    }
    for (const worker of tables.workers.values()) {
      const silentMs = nowMs - (worker.lastBeatMs ?? 0);
      const isWorse =
        (worker.link === 'connected' && silentMs > 2 * settings.beatIntervalMs) || (worker.link === 'suspect' && silentMs > settings.workerTimeoutMs);
      const { maintenance } = worker;
      const isDrainDue = maintenance?.kind === 'drain' && maintenance.drainedMs === null &&
        ((maintenance.deadlineMs !== null && maintenance.deadlineMs <= nowMs && !maintenance.isOverdue) || tables.liveOf(worker.id).length === 0);
      if (isDrainDue) this.replica.step(random.between(0, 300), () => this.replica.decide({ type: 'sweepDrain', workerId: worker.id }));
      if (isWorse) this.replica.step(random.between(0, 100), () => this.replica.decide({ type: 'workerLink', workerId: worker.id, socket: 'silent' }));
    }
  }

  private sweepAttempt(attemptId: Parameters<World['database']['tables']['attempts']['get']>[0]): void {
    const { database, random, reducers } = this.world;
    const delayMs = random.between(0, 300);
    if (reducers.shell.sweepsByComparing) {
      this.replica.step(delayMs, () => this.replica.decide({ type: 'sweepAttempt', attemptId }));
      return;
    }
    const undone = database.decideOnly({ type: 'sweepAttempt', attemptId });
    this.replica.step(delayMs, () => database.storeLate(undone));
  }
}
