/** Runs one sequence against the product's own code on PostgreSQL and against the reducers, step by step, and compares. */
import { isDeepStrictEqual } from 'node:util';
import type { JobFacts, ServerCommand, ServerContext, ServerDecision, WorkerProfile } from '@muster/domain';
import type { AttemptId, LogAck, WorkerId } from '@muster/protocol';
import type { RecordedStep } from '@muster/testing';
import type { ConnectionPool, Transaction } from '../../src/database/connection-pool.js';
import type { Database } from '../../src/database/database.js';
import { BACKOFFS_END } from '../../src/dispatch/dispatch.sql.js';
import type { LaneBook } from '../../src/dispatch/lane-book.js';
import { takeTurn } from '../../src/dispatch/turn.js';
import { mayBePlain, renewPlain } from '../../src/engine/beats/plain-beats.js';
import { decideBatch } from '../../src/engine/decide-batch.js';
import type { LogIngest } from '../../src/logs/log-ingest.js';
import type { Chance } from './chance.js';
import { expectSameRows, expectSameTraces } from './comparison.js';
import { kindsOf } from './kinds.js';
import type { Model } from './model.js';
import { COMMAND_TYPES, honestBeat, probe } from './probes.js';
import { REPLICA, putFacts, sliceOf, type Putter } from './stored-facts.js';
import { CLOCK_SET } from './virtual-clock.js';

export interface Bench extends Putter {
  readonly database: Database;
  readonly ingest: LogIngest;
  readonly book: LaneBook;
  /** Ids that the next claim gives, in this order. */
  readonly nextIds: AttemptId[];
}

export interface Figures {
  sequences: number;
  commands: number;
  /** Commands of the shortest sequence. */
  shortest: number;
  batches: number;
  claims: number;
  grants: number;
  chunks: number;
  /** Beats that the one statement for all of them took. */
  renewed: number;
  readonly kinds: Map<string, number>;
}

type CommandStep = Pick<Extract<RecordedStep, { kind: 'command' }>, 'command' | 'context'>;

/** Compared in full once in so many transactions, and at the end: a row that went astray stays astray. */
const ROWS_EVERY = 20;
const LONGEST_BATCH = 5;
/** Wishes of people, which reach the agent with its beats. */
const HEARD_WITH_A_BEAT: ReadonlySet<ServerCommand['type']> = new Set(['cancel', 'pause', 'resume']);
/** Share of those claims that granted nothing when they were recorded which is replayed: most are alike. */
const IDLE_CLAIMS = 0.1;

export class Replay {
  /** Commands decided so far. */
  commands = 0;
  private transactions = 0;
  private nowMs = 0;
  private idsMade = 0;
  private newestId = 'att_0';

  constructor(
    private readonly bench: Bench,
    private readonly model: Model,
    private readonly profileOf: (name: string) => WorkerProfile,
    private readonly chance: Chance,
    private readonly figures: Figures,
  ) {
    this.see(model.slice.attempts.keys());
  }

  /** Recorded steps, in their order; commands that one lane takes are sometimes committed together. */
  async run(steps: readonly RecordedStep[]): Promise<void> {
    for (let at = 0; at < steps.length; ) {
      const step = steps[at] as RecordedStep;
      if (step.kind === 'command') {
        const batch = this.batchFrom(steps, at);
        await this.decide(batch);
        at += batch.length;
        continue;
      }
      if (step.kind === 'insertJob') await this.insert(step.job);
      const isWorth = step.kind === 'claim' && (step.decision.attempts.length > 0 || this.chance.isTrue(IDLE_CLAIMS));
      if (isWorth) await this.claim([...step.input.profiles.keys()], step.context);
      if (step.kind === 'log' && this.isFollowed(step.ref.attemptId)) await this.append(step.workerId, step.ref.attemptId, step.chunk);
      at += 1;
    }
  }

  /** Commands that were never recorded, each made from the rows as they stand, some time after the last. */
  async probe(count: number, context: Omit<ServerContext, 'nowMs' | 'newAttemptIds' | 'jitter'>): Promise<void> {
    for (let made = 0; made < count; made += 1) {
      this.nowMs += this.chance.pick([0, 1, 1_000, 16_000, 70_000]);
      const fresh = (): ServerContext => ({
        ...context, nowMs: this.nowMs, newAttemptIds: Array.from({ length: 12 }, () => this.newAttemptId()), jitter: this.chance.next(),
      });
      const type = this.chance.pick(COMMAND_TYPES);
      const commands = Array.from({ length: this.chance.whole(1, 2) }, () => probe(type, this.model.slice, this.chance));
      await this.decide(commands.map((command) => ({ command, context: fresh() })));
      if (HEARD_WITH_A_BEAT.has(type)) await this.beatOfHolder(commands[0], fresh());
      if (this.chance.isTrue(0.3)) await this.claim([...this.model.slice.workers.keys()], fresh());
      if (this.chance.isTrue(0.2)) await this.appendAnything();
    }
  }

  /** Everything that is stored is what the reducers decided. */
  async settle(times: Pick<ServerContext, 'beatIntervalMs' | 'workerTimeoutMs'>): Promise<void> {
    await expectSameRows(this.bench.database, this.model);
    await expectSameTraces(this.bench.database, this.model, { nowMs: this.nowMs, ...times });
  }

  /** Bytes of every third log are replayed, all of them in their order. */
  private isFollowed(attemptId: AttemptId): boolean {
    const logId = this.model.slice.attempts.get(attemptId)?.logId ?? attemptId;
    return Number.parseInt(logId.slice(-1), 36) % 3 === 0;
  }

  private async insert(job: JobFacts): Promise<void> {
    const rows = sliceOf([job], [], []);
    await this.bench.database.transaction((connection) => putFacts(connection, rows, this.bench));
    this.model.insert(rows);
  }

  private batchFrom(steps: readonly RecordedStep[], start: number): CommandStep[] {
    const longest = this.chance.isTrue(0.4) ? this.chance.whole(2, LONGEST_BATCH) : 1;
    const batch: CommandStep[] = [];
    for (const step of steps.slice(start, start + longest)) {
      if (step.kind !== 'command' || (batch[0] && laneOf(batch[0].command) !== laneOf(step.command))) break;
      batch.push(step);
    }
    return batch;
  }

  private async decide(batch: readonly CommandStep[]): Promise<void> {
    for (const { context } of batch) this.see(context.newAttemptIds);
    this.nowMs = Math.max(...batch.map(({ context }) => context.nowMs));
    const lane = this.bench.database.lane(laneOf(batch[0]?.command));
    const stored = await this.at(lane, this.nowMs, (connection) => decideAsTheEngine(connection, batch, this.nowMs));
    const expected = batch.map(({ command, context }) => this.model.decide(command, context));
    batch.forEach(({ command }, index) => this.count(command, expected[index] as ServerDecision));
    const about = batch.map(({ command }) => command);
    expectSame(stored.replies, expected.map((decision) => decision.reply), about);
    expectSame(stored.notices, expected.flatMap((decision) => decision.notices), about);
    this.figures.renewed += stored.renewed;
    this.figures.batches += 1;
    this.figures.commands += batch.length;
    this.commands += batch.length;
    await this.lookNowAndThen();
  }

  private async claim(workerIds: readonly WorkerId[], context: ServerContext): Promise<void> {
    this.nowMs = context.nowMs;
    this.see(context.newAttemptIds);
    const ids = [...context.newAttemptIds, ...Array.from({ length: 30 }, () => this.newAttemptId())];
    this.bench.nextIds.splice(0, Infinity, ...ids);
    const lane = this.bench.database.lane('dispatch');
    await this.at(lane, this.nowMs, (connection) => connection.execute(BACKOFFS_END));
    const claimed = await this.at(lane, this.nowMs, (connection) =>
      takeTurn(connection, this.bench.book, { workerIds, replicaId: REPLICA, context }),
    );
    this.model.endPauses(this.nowMs);
    const expected = this.model.claim(new Map([...workerIds].sort().map((id) => [id, this.profileOf(id)])), { ...context, newAttemptIds: ids });
    expectSame(claimed?.decision.attempts ?? [], expected.attempts, 'claim');
    expectSame(claimed?.decision.notices ?? [], expected.notices, 'claim');
    this.figures.claims += 1;
    this.figures.grants += expected.attempts.length;
    await this.lookNowAndThen();
  }

  private async append(workerId: WorkerId, attemptId: AttemptId, chunk: { readonly offset: number; readonly rawLength: number }): Promise<void> {
    await this.bench.database.lane('logs').query(CLOCK_SET, [String(this.nowMs)]);
    const { offset, rawLength } = chunk;
    const stored: LogAck = await this.bench.ingest.append(workerId, {
      attemptId, epoch: 1, stream: 'output', offset, rawLength, encoding: 'gap', readAt: new Date(this.nowMs).toISOString(), bytes: new Uint8Array(),
    });
    expectSame(stored, this.model.append(workerId, attemptId, chunk), { attemptId, chunk });
    this.figures.chunks += 1;
  }

  /** The worker of the job that the command was about hears of it. */
  private async beatOfHolder(command: ServerCommand | undefined, context: ServerContext): Promise<void> {
    const { jobs, attempts, workers } = this.model.slice;
    const job = command !== undefined && 'jobId' in command ? jobs.get(command.jobId) : undefined;
    const attempt = job?.currentAttemptId == null ? undefined : attempts.get(job.currentAttemptId);
    const holder = attempt && workers.get(attempt.workerId);
    if (holder !== undefined) await this.decide([{ command: honestBeat(this.model.slice, holder), context }]);
  }

  private async appendAnything(): Promise<void> {
    const { attempts, workers } = this.model.slice;
    if (attempts.size === 0) return;
    const attempt = this.chance.pick([...attempts.values()]);
    const workerId = this.chance.isTrue(0.8) ? attempt.workerId : this.chance.pick([...workers.keys()]);
    const offset = Math.max(0, (this.model.logs.get(attempt.logId) ?? 0) + this.chance.pick([0, 0, -1, 1]));
    await this.append(workerId, attempt.id, { offset, rawLength: this.chance.whole(1, 9) });
  }

  /** A transaction of the lane, in which PostgreSQL's clock shows this moment. */
  private at<T>(lane: ConnectionPool, nowMs: number, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return lane.transaction(async (connection) => {
      const set = connection.query(CLOCK_SET, [String(nowMs)]);
      const [result] = await Promise.all([work(connection), set]);
      return result;
    });
  }

  private async lookNowAndThen(): Promise<void> {
    this.transactions += 1;
    if (this.transactions % ROWS_EVERY === 0) await expectSameRows(this.bench.database, this.model);
  }

  private count(command: ServerCommand, decision: ServerDecision): void {
    for (const kind of kindsOf(command, decision)) this.figures.kinds.set(kind, (this.figures.kinds.get(kind) ?? 0) + 1);
  }

  /** Greater than every id before it, and smaller than those that are recorded later. */
  private newAttemptId(): AttemptId {
    this.idsMade += 1;
    return `${this.newestId}x${String(this.idsMade).padStart(6, '0')}` as AttemptId;
  }

  private see(ids: Iterable<AttemptId>): void {
    for (const id of ids) if (id > this.newestId) this.newestId = id;
  }
}

/**
 * As `EngineService` does: beats that only renew by one statement, the rest by the reducer. That statement knows one moment for
 * all of them, and a batch may hold commands of several.
 */
async function decideAsTheEngine(
  connection: Transaction,
  batch: readonly CommandStep[],
  nowMs: number,
): Promise<{ readonly replies: readonly unknown[]; readonly notices: readonly unknown[]; readonly renewed: number }> {
  const beats = batch.flatMap(({ command, context }, index) => (command.type === 'beat' ? [{ command, context, index }] : []));
  const isAlone = (workerId: WorkerId): boolean => beats.filter(({ command }) => command.workerId === workerId).length === 1;
  const gathered = beats.filter(({ command, context }) => context.nowMs === nowMs && isAlone(command.workerId) && mayBePlain(command));
  const workerTimeoutMs = batch[0]?.context.workerTimeoutMs ?? 0;
  const answers = gathered.length === 0 ? [] : await renewPlain(connection, gathered.map(({ command }) => command), workerTimeoutMs);
  // By place: the same command may stand in a batch twice.
  const replies = new Map<number, unknown>(gathered.flatMap(({ index }, at) => (answers[at] === undefined ? [] : [[index, answers[at]]])));
  const renewed = replies.size;
  const rest = batch.flatMap((step, index) => (replies.has(index) ? [] : [{ ...step, index }]));
  let asked = 0;
  const decided = rest.length === 0
    ? { replies: [], notices: [] }
    : await decideBatch(connection, rest.map(({ command }) => command), () => (rest[asked++] as CommandStep).context);
  rest.forEach(({ index }, at) => replies.set(index, decided.replies[at]));
  return { replies: batch.map((_, index) => replies.get(index)), notices: decided.notices, renewed };
}

function laneOf(command: ServerCommand | undefined): 'renewals' | 'transitions' {
  return command?.type === 'beat' ? 'renewals' : 'transitions';
}

function expectSame(stored: unknown, expected: unknown, about: unknown): void {
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
  if (isDeepStrictEqual(plain(stored), plain(expected))) return;
  throw new Error(`PostgreSQL: ${JSON.stringify(stored)}\nreducers: ${JSON.stringify(expected)}\nabout: ${JSON.stringify(about)}`);
}
