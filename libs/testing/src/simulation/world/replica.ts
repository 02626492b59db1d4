/** A control plane process: takes messages to the database and answers after the commit. It may die at any step, and keeps no truth. */
import type { Notice, ReplyOf, SenderRefused, ServerCommand, ServerDecision } from '@muster/domain';
import { TIMES } from '@muster/protocol';
import type { Ack, AttemptRef, BeatAck, HelloAck, LogAck, Offer, WorkerId } from '@muster/protocol';
import { HttpDesk } from './http-desk.js';
import type { Connection } from './network.js';
import { ReplicaLoops } from './replica-loops.js';
import type { Request } from './requests.js';
import type { World } from './world.js';

type Answer = (ack: Ack<unknown>) => void;

export class Replica {
  isAlive = true;
  startCount = 1;
  readonly http: HttpDesk;
  private connections = new Set<Connection>();
  private frozenUntilMs = 0;
  private readonly loops: ReplicaLoops;

  constructor(
    private readonly world: World,
    readonly index: number,
  ) {
    this.http = new HttpDesk(world, this);
    this.loops = new ReplicaLoops(world, this);
    this.loops.begin();
  }

  get isFrozen(): boolean {
    return this.world.nowMs < this.frozenUntilMs;
  }

  /** Workers whose agents have said hello here. */
  get workerIds(): Set<WorkerId> {
    const ids = new Set<WorkerId>();
    for (const { session, host } of this.connections) if (session !== null) ids.add(host.workerId);
    return ids;
  }

  accept(connection: Connection): void {
    this.connections.add(connection);
  }

  /** The socket ended: the replica notices at once, or never if it is dead by then. */
  closed(connection: Connection): void {
    if (!this.connections.delete(connection) || connection.session === null || !this.isAlive) return;
    const { workerId } = connection.host;
    this.step(1, () => this.decide({ type: 'workerLink', workerId, socket: 'closed' }));
  }

  /** A command nobody is answered for: from the sweeper, or from a person who looks later what became of it. */
  decide(command: ServerCommand): void {
    const decision = this.world.database.transact(command);
    this.world.trace(() => `replica ${this.index} ${JSON.stringify(command)} -> ${JSON.stringify(decision?.reply ?? 'away')}`);
    if (decision !== undefined) this.step(0, () => this.announce(decision.notices));
  }

  receive(connection: Connection, request: Request, answer: Answer): void {
    this.step(this.world.random.between(1, 20), () => this.handle(connection, request, answer));
  }

  private handle(connection: Connection, request: Request, answer: Answer): void {
    const { workerId } = connection.host;
    if (request.kind === 'hello' && this.isLate(connection)) {
      this.world.count('late first hellos refused');
      answer({ error: { code: 'unavailable', detail: 'this hello has lain somewhere for long: connect again' } });
      return;
    }
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
        const { paused: isPaused, ...told } = request.body;
        this.transact(connection, { type: 'beat', workerId, ...told, isPaused, gpusHeld: told.gpusHeld ?? [] }, answer, (decision) => this.onBeatDone(decision));
        return;
      }
      case 'start':
        this.transact(connection, { type: 'start', ...from, ...request.body }, answer, ok);
        return;
      case 'refuse':
        this.transact(connection, { type: 'refuse', ...from, ...request.body }, answer, ok);
        return;
      case 'end':
        this.world.auditor.endArrived(connection.host.machine, request.body);
        this.transact(connection, { type: 'end', ...from, ...request.body }, answer, ok);
        return;
      case 'log':
        this.append(connection, request.body, answer);
        return;
    }
  }

  private isLate({ session, openedMs }: Connection): boolean {
    return session === null && this.world.nowMs - openedMs > TIMES.firstHelloWithinMs && this.world.reducers.shell.refusesLateHellos;
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
    const { session, slots, verdicts } = decision.reply;
    connection.session = session;
    const { beatIntervalMs, workerTimeoutMs } = this.world.settings;
    return { ok: { workerId: connection.host.workerId, name: connection.host.workerId, session, slots, beatIntervalMs, workerTimeoutMs, verdicts } };
  }

  private onBeatDone(decision: ServerDecision<ReplyOf<Extract<ServerCommand, { type: 'beat' }>>>): Ack<BeatAck> {
    if (decision.reply.kind !== 'beat') return { error: { code: 'superseded', detail: decision.reply.reason } };
    return { ok: { beatIntervalMs: this.world.settings.beatIntervalMs, slots: decision.reply.slots, verdicts: decision.reply.verdicts } };
  }

  private append(connection: Connection, body: AttemptRef & { offset: number; rawLength: number }, answer: Answer): void {
    const ack: LogAck | undefined = this.world.database.append(connection.host.workerId, body, body);
    this.step(0, () => answer(ack === undefined ? { error: { code: 'unavailable', detail: 'no database' } } : { ok: ack }));
  }

  /** To our own sockets now, to the others by NOTIFY, which may be lost. */
  announce(notices: readonly Notice[]): void {
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
    if (this.isFrozen) {
      this.onceThawed(() => this.take(notice));
      return;
    }
    switch (notice.kind) {
      case 'wakeDispatch':
        this.loops.wake();
        return;
      case 'jobChanged':
        return;
      case 'closeSession':
        for (const connection of this.socketsOf(notice.workerId)) {
          if ((connection.session ?? 0) <= notice.session) {
            this.world.network.push(connection, () => {
              if (notice.reason === 'removed') this.world.auditor.nothingWanted(connection.host.machine);
              connection.host.post({ type: 'closing', reason: notice.reason, detail: '' });
            });
          }
        }
        return;
      case 'offer':
        this.sendOffer(notice);
        return;
      case 'command':
        for (const connection of this.socketsOf(notice.workerId)) {
          this.world.network.push(connection, () => connection.host.post({ type: 'commanded', ref: notice.ref, command: notice.command }));
        }
        return;
      case 'withdraw':
        for (const connection of this.socketsOf(notice.workerId)) {
          this.world.network.push(connection, () => connection.host.post({ type: 'withdrawn', ref: notice.ref }));
        }
        return;
    }
  }

  private sendOffer(notice: Extract<Notice, { kind: 'offer' }>): void {
    const attempt = this.world.database.tables.attempts.get(notice.attemptId);
    const job = attempt === undefined ? undefined : this.world.database.tables.jobs.get(attempt.jobId);
    if (attempt === undefined || job === undefined) return;
    const offer: Offer = {
      attemptId: attempt.id, epoch: attempt.epoch, jobId: job.id, number: attempt.number, spec: job.spec, gpus: attempt.gpus,
      offerTtlMs: this.world.settings.offerTtlMs,
    };
    for (const connection of this.socketsOf(notice.workerId)) {
      if (connection.session !== notice.session && this.world.reducers.shell.offersToTheStartItChose) continue;
      this.world.network.push(connection, () => connection.host.post({ type: 'offered', offer, objection: null }));
    }
  }

  private socketsOf(workerId: WorkerId): Connection[] {
    return [...this.connections].filter((connection) => connection.host.workerId === workerId && connection.session !== null);
  }

  /** One step of work: dying or standing still is possible before each. */
  step(delayMs: number, work: () => void): void {
    const { startCount } = this;
    const run = (): void => {
      if (!this.isAlive || this.startCount !== startCount) return;
      const { fate, faults } = this.world;
      if (fate.chance(faults.replicaCrashRate)) {
        this.crash();
        return;
      }
      if (fate.chance(faults.replicaFreezeRate)) this.freeze(fate.chance(0.3) ? this.world.absenceMs() : fate.between(100, 20_000));
      if (this.isFrozen) this.onceThawed(run);
      else work();
    };
    if (delayMs === 0) run();
    else this.world.after(delayMs, run);
  }

  /** It stands still: what arrives waits, and its sockets stay open as long as their other ends believe in them. */
  freeze(forMs: number): void {
    this.world.count('replica freezes');
    this.frozenUntilMs = Math.max(this.frozenUntilMs, this.world.nowMs + forMs);
    for (const connection of this.connections) {
      if (this.world.fate.chance(0.5)) this.world.after(this.world.fate.between(1_000, 30_000), () => this.isFrozen && connection.host.lose(connection));
    }
  }

  /** A little later than at the moment itself, which a sum of fractions may miss. */
  private onceThawed(run: () => void): void {
    this.world.after(this.frozenUntilMs - this.world.nowMs + 0.1, run);
  }

  /** Faults are over. */
  wake(): void {
    this.frozenUntilMs = 0;
  }

  crash(): void {
    this.world.count('replica crashes');
    this.world.trace(() => `replica ${this.index} dies`);
    this.isAlive = false;
    for (const connection of this.connections) this.world.after(this.world.random.between(10, 3_000), () => connection.host.lose(connection));
    this.connections = new Set();
    this.http.crash();
    this.world.after(this.world.random.between(500, 5_000), () => {
      this.isAlive = true;
      this.startCount += 1;
      this.loops.begin();
    });
  }
}

function ok(decision: ServerDecision<unknown>): Ack<unknown> {
  return { ok: decision.reply };
}

function toAck<Reply>(decision: ServerDecision<Reply>, reply: (decision: ServerDecision<Reply>) => Ack<unknown>): Ack<unknown> {
  if (!isRefused(decision.reply)) return reply(decision);
  if (decision.reply.reason === 'notSynced') return { error: { code: 'notSynced', detail: 'hello first' } };
  return { error: { code: 'superseded', detail: 'another agent is this worker now' } };
}

function isRefused(reply: unknown): reply is SenderRefused {
  return typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'senderRefused';
}
