/** A control plane process: takes messages to the database and answers after the commit. It may die at any step, and keeps no truth. */
import type { Notice, ReplyOf, ServerCommand, ServerDecision } from '@muster/domain';
import type { Ack, AttemptRef, BeatAck, HelloAck, LogAck, Offer, WorkerId } from '@muster/protocol';
import type { Connection } from './network.js';
import type { Request } from './agent-host.js';
import type { World } from './world.js';

type Answer = (ack: Ack<unknown>) => void;

export class Replica {
  isAlive = true;
  startCount = 1;
  private connections = new Set<Connection>();
  private isWoken = false;

  constructor(
    private readonly world: World,
    readonly index: number,
  ) {
    this.beginLoops();
  }

  accept(connection: Connection): void {
    this.connections.add(connection);
  }

  /** The socket ended: the replica notices at once, or never if it is dead by then. */
  closed(connection: Connection): void {
    if (!this.connections.delete(connection) || connection.session === null || !this.isAlive) return;
    this.world.run({ type: 'workerLink', workerId: connection.host.workerId, socket: 'closed' });
  }

  receive(connection: Connection, request: Request, answer: Answer): void {
    this.step(this.world.random.between(1, 20), () => this.handle(connection, request, answer));
  }

  private handle(connection: Connection, request: Request, answer: Answer): void {
    const { workerId } = connection.host;
    if (request.kind === 'hello') {
      this.transact(connection, { type: 'hello', workerId, ...request.body }, answer, (decision) => this.onHelloDone(connection, decision));
      return;
    }
    if (connection.session === null) {
      answer({ error: { code: 'notSynced', detail: 'hello first' } });
      return;
    }
    const from = { workerId, session: connection.session };
    switch (request.kind) {
      case 'beat': {
        const { executions, paused, slotsFree, session } = request.body;
        this.transact(connection, { type: 'beat', workerId, session, executions, isPaused: paused, slotsFree }, answer, (decision) => this.onBeatDone(decision));
        return;
      }
      case 'start':
        this.transact(connection, { type: 'start', ...from, ...request.body }, answer, ok);
        return;
      case 'refuse':
        this.transact(connection, { type: 'refuse', ...from, ...request.body }, answer, ok);
        return;
      case 'end':
        this.world.expectEnd(connection.host, request.body);
        this.transact(connection, { type: 'end', ...from, ...request.body }, answer, ok);
        return;
      case 'log':
        this.append(connection, request.body, answer);
        return;
    }
  }

  private transact<Command extends ServerCommand>(
    connection: Connection,
    command: Command,
    answer: Answer,
    reply: (decision: ServerDecision<ReplyOf<Command>>) => Ack<unknown>,
  ): void {
    const early = !this.world.reducers.shell.acknowledgesAfterCommit;
    const run = (): ServerDecision<ReplyOf<Command>> | undefined => this.world.database.transact(command);
    if (early && command.type === 'end') {
      answer({ ok: { kind: 'accepted' } });
      this.step(this.world.random.between(1, 50), run);
      return;
    }
    const decision = run();
    this.world.trace(() => `replica ${this.index} ${command.type} ${JSON.stringify(command)} -> ${JSON.stringify(decision?.reply ?? 'away')}`);
    this.step(0, () => {
      answer(decision === undefined ? { error: { code: 'unavailable', detail: 'no database' } } : toAck(decision, reply));
      if (decision !== undefined && isRefused(decision.reply)) connection.session = null;
      this.step(0, () => this.announce(decision?.notices ?? []));
    });
  }

  private onHelloDone(connection: Connection, decision: ServerDecision<ReplyOf<Extract<ServerCommand, { type: 'hello' }>>>): Ack<HelloAck> {
    if (decision.reply.kind !== 'synced') return { error: { code: 'superseded', detail: decision.reply.reason } };
    const { session, verdicts } = decision.reply;
    connection.session = session;
    const { beatIntervalMs, workerTimeoutMs } = this.world.settings;
    return { ok: { workerId: connection.host.workerId, name: connection.host.workerId, session, beatIntervalMs, workerTimeoutMs, verdicts } };
  }

  private onBeatDone(decision: ServerDecision<ReplyOf<Extract<ServerCommand, { type: 'beat' }>>>): Ack<BeatAck> {
    if (decision.reply.kind !== 'beat') return { error: { code: 'superseded', detail: decision.reply.reason } };
    return { ok: { beatIntervalMs: this.world.settings.beatIntervalMs, verdicts: decision.reply.verdicts } };
  }

  private append(connection: Connection, body: AttemptRef & { offset: number; rawLength: number }, answer: Answer): void {
    const ack: LogAck | undefined = this.world.database.append(connection.host.workerId, body, body);
    this.step(0, () => answer(ack === undefined ? { error: { code: 'unavailable', detail: 'no database' } } : { ok: ack }));
  }

  /** To our own sockets now, to the others by NOTIFY, which may be lost. */
  private announce(notices: readonly Notice[]): void {
    for (const notice of notices) {
      this.take(notice);
      for (const other of this.world.replicas) {
        if (other === this || this.world.random.chance(this.world.faults.dropRate)) continue;
        this.world.after(this.world.random.between(1, 20), () => other.take(notice));
      }
    }
  }

  take(notice: Notice): void {
    if (!this.isAlive) return;
    switch (notice.kind) {
      case 'wakeDispatch':
        this.wake();
        return;
      case 'jobChanged':
        return;
      case 'closeSession':
        for (const connection of this.socketsOf(notice.workerId)) {
          if ((connection.session ?? 0) <= notice.session) {
            this.world.network.down(connection, () => connection.host.post({ type: 'closing', reason: notice.reason, detail: '' }));
          }
        }
        return;
      case 'offer':
        this.sendOffer(notice);
        return;
      case 'command':
        for (const connection of this.socketsOf(notice.workerId)) {
          this.world.network.down(connection, () => connection.host.post({ type: 'commanded', ref: notice.ref, command: notice.command }));
        }
        return;
      case 'withdraw':
        for (const connection of this.socketsOf(notice.workerId)) {
          this.world.network.down(connection, () => connection.host.post({ type: 'withdrawn', ref: notice.ref }));
        }
        return;
    }
  }

  private sendOffer(notice: Extract<Notice, { kind: 'offer' }>): void {
    const attempt = this.world.database.all.attempts.get(notice.attemptId);
    const job = attempt === undefined ? undefined : this.world.database.all.jobs.get(attempt.jobId);
    if (attempt === undefined || job === undefined) return;
    const offer: Offer = {
      attemptId: attempt.id, epoch: attempt.epoch, jobId: job.id, number: attempt.number, spec: job.spec, gpus: attempt.gpus,
      offerTtlMs: this.world.settings.offerTtlMs,
    };
    for (const connection of this.socketsOf(notice.workerId)) {
      this.world.network.down(connection, () => connection.host.post({ type: 'offered', offer, objection: null }));
    }
  }

  private socketsOf(workerId: WorkerId): Connection[] {
    return [...this.connections].filter((connection) => connection.host.workerId === workerId && connection.session !== null);
  }

  private wake(): void {
    if (this.isWoken) return;
    this.isWoken = true;
    this.world.after(this.world.random.between(1, 10), () => {
      this.isWoken = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    if (!this.isAlive) return;
    const workerIds = [...new Set([...this.connections].filter((one) => one.session !== null).map((one) => one.host.workerId))];
    if (workerIds.length === 0) return;
    const profiles = new Map(workerIds.map((id) => [id, this.world.profileOf(id)]));
    const decision = this.world.database.claim({ profiles });
    if (decision !== undefined) this.step(0, () => this.announce(decision.notices));
  }

  private sweep(): void {
    const { database, random } = this.world;
    if (!this.isAlive || !database.isUp) return;
    for (const attempt of database.all.attempts.values()) {
      if (attempt.state === 'ended' || attempt.leaseUntilMs === null || attempt.leaseUntilMs > database.nowMs) continue;
      // Found now, decided a little later: a renewal may come in between.
      this.step(random.between(0, 300), () => this.announce(database.transact({ type: 'sweepAttempt', attemptId: attempt.id })?.notices ?? []));
    }
    for (const worker of database.all.workers.values()) {
      const silentMs = database.nowMs - (worker.lastBeatMs ?? 0);
      if (worker.link !== 'unreachable' && silentMs > 2 * this.world.settings.beatIntervalMs) {
        this.step(random.between(0, 100), () => database.transact({ type: 'workerLink', workerId: worker.id, socket: 'silent' }));
      }
    }
  }

  private beginLoops(): void {
    const { startCount } = this;
    const every = (intervalMs: number, run: () => void): void => {
      this.world.after(this.world.random.between(0.8, 1.2) * intervalMs, () => {
        if (!this.isAlive || this.startCount !== startCount) return;
        run();
        every(intervalMs, run);
      });
    };
    every(this.world.settings.dispatchEveryMs, () => this.dispatch());
    every(this.world.settings.sweepEveryMs, () => this.sweep());
  }

  /** One step of work: dying is possible before each. */
  private step(delayMs: number, work: () => void): void {
    const { startCount } = this;
    const run = (): void => {
      if (!this.isAlive || this.startCount !== startCount) return;
      if (this.world.random.chance(this.world.faults.replicaCrashRate)) this.crash();
      else work();
    };
    if (delayMs === 0) run();
    else this.world.after(delayMs, run);
  }

  crash(): void {
    this.world.count('replica crashes');
    this.world.trace(() => `replica ${this.index} dies`);
    this.isAlive = false;
    for (const connection of this.connections) this.world.after(this.world.random.between(10, 3_000), () => connection.host.lose(connection));
    this.connections = new Set();
    this.world.after(this.world.random.between(500, 5_000), () => {
      this.isAlive = true;
      this.startCount += 1;
      this.beginLoops();
    });
  }
}

function ok(decision: ServerDecision<unknown>): Ack<unknown> {
  return { ok: decision.reply };
}

function toAck<Reply>(decision: ServerDecision<Reply>, reply: (decision: ServerDecision<Reply>) => Ack<unknown>): Ack<unknown> {
  if (isRefused(decision.reply)) return { error: { code: 'superseded', detail: 'another agent is this worker now' } };
  return reply(decision);
}

function isRefused(reply: unknown): boolean {
  return typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'senderRefused';
}
