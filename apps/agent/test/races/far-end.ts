/**
 * The far end of the network: the control plane's own decisions on rows in memory. What arrives is decided at once; when
 * messages arrive, and whether, is the link's business.
 */
import { applyDecision, decideClaim, serverStep, toJobSpec } from '@muster/domain';
import type { JobFacts, Notice, ReplyOf, ServerCommand, ServerContext, Slice, WorkerProfile } from '@muster/domain';
import type { Ack, AttemptEnd, AttemptId, AttemptRef, Hello, JobId, WorkerId } from '@muster/protocol';
import type { ServerMessage } from '../../src/connection/control-plane-link.js';
import type { BodyOf, RequestName } from '../../src/connection/server-messages.js';

const WORKER_TIMEOUT_MS = 60_000;
const OFFER_TTL_MS = 15_000;
const HERE = `wkr_${'0'.repeat(26)}` as WorkerId;
const ELSEWHERE = `wkr_${'1'.repeat(26)}` as WorkerId;
const PROFILE: WorkerProfile = {
  name: 'here',
  capability: 'cpu',
  contentTypes: [],
  labels: {},
  cpuCores: 8,
  memoryMb: 16_000,
  gpus: [],
  containment: ['group'],
  runKinds: ['command'],
};

type Asked = { readonly [E in RequestName]: { readonly event: E; readonly body: BodyOf<E> } }[RequestName];

export class FarEnd {
  private slice: Slice;
  private skewMs = 0;
  private made = 0;
  /** Attempts whose start was granted. */
  readonly granted = new Set<AttemptId>();
  readonly ends: AttemptEnd[] = [];

  constructor(
    private readonly slots: number,
    private readonly push: (message: ServerMessage) => void,
  ) {
    const facts = {
      owner: 'ada',
      session: 0,
      instanceId: null,
      slotsUsable: slots,
      gpusHeld: [],
      slots,
      slotsOrdered: null,
      slotsSaid: null,
      isPaused: false,
      maintenance: null,
      link: 'connected',
      lastBeatMs: 0,
      isFenced: false,
      isRemoved: false,
    } as const;
    const elsewhere = { ...facts, id: ELSEWHERE, name: 'elsewhere', session: 1, slots: 99, slotsUsable: 99 };
    this.slice = {
      jobs: new Map(),
      attempts: new Map(),
      workers: new Map([
        [HERE, { ...facts, id: HERE, name: 'here' }],
        [ELSEWHERE, elsewhere],
      ]),
    };
  }

  get jobIds(): JobId[] {
    return [...this.slice.jobs.keys()];
  }

  submit(exclusive: boolean): void {
    const result = toJobSpec(
      { run: { command: ['true'] }, graceSeconds: 1, disconnect: { exclusive } },
      WORKER_TIMEOUT_MS,
    );
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    const id = `job_${String(this.slice.jobs.size).padStart(26, '0')}` as JobId;
    const job: JobFacts = {
      id,
      owner: 'ada',
      spec: result.spec,
      status: 'queued',
      desired: 'run',
      force: false,
      reason: 'waiting',
      reasonDetail: null,
      priority: 0,
      epoch: 0,
      attemptCount: 0,
      currentAttemptId: null,
      failures: 0,
      losses: 0,
      refusals: 0,
      lossesWhileRunning: 0,
      notBeforeMs: null,
      queueUntilMs: null,
      createdMs: this.nowMs,
      startedMs: null,
      finishedMs: null,
      exit: null,
    };
    this.slice = { ...this.slice, jobs: new Map(this.slice.jobs).set(id, job) };
  }

  /** Gives queued jobs to the agent, as far as it has room. */
  dispatch(to: 'here' | 'elsewhere' = 'here'): void {
    const profiles = new Map([[to === 'here' ? HERE : ELSEWHERE, PROFILE]]);
    const decision = decideClaim(
      this.slice,
      { candidates: this.jobIds, profiles, activeByOwner: new Map() },
      this.context(this.jobIds.length),
    );
    this.slice = applyDecision(this.slice, decision);
    this.deliver(decision.notices);
  }

  /** Somebody else is given every job that is free, and starts it. */
  giveAway(): void {
    this.dispatch('elsewhere');
    for (const { id, epoch, workerId, state } of this.slice.attempts.values()) {
      if (workerId === ELSEWHERE && state === 'offered')
        this.execute({ type: 'start', workerId, session: 1, attemptId: id, epoch });
    }
  }

  order(type: 'cancel' | 'pause' | 'resume', job: number, force = false): void {
    const jobId = this.jobIds[job % this.jobIds.length];
    if (jobId === undefined) return;
    this.execute(type === 'cancel' ? { type, jobId, force, actor: 'ada' } : { type, jobId, actor: 'ada' });
  }

  /** Its clock moves on without ours: every lease is over. */
  endLeases(): void {
    this.skewMs += 10 * 60_000;
    for (const { id, state, workerId } of this.slice.attempts.values()) {
      if (state !== 'ended' && workerId === HERE) this.execute({ type: 'sweepAttempt', attemptId: id });
    }
  }

  handle({ event, body }: Asked): Ack<unknown> {
    switch (event) {
      case 'worker:hello':
        return this.hello(body);
      case 'worker:beat': {
        const { session, executions, paused: isPaused, slotsFree, gpusHeld = [] } = body;
        const beat = { session, executions, isPaused, slotsFree, gpusHeld };
        const reply = this.execute({ type: 'beat', workerId: HERE, ...beat });
        return reply.kind === 'senderRefused'
          ? superseded()
          : { ok: { beatIntervalMs: 10_000, verdicts: reply.verdicts } };
      }
      case 'attempt:start':
        return this.start(body);
      case 'attempt:refuse':
        return this.refusable(this.execute({ type: 'refuse', ...this.sender, ...body }), {});
      case 'attempt:end': {
        this.ends.push(body);
        const reply = this.execute({ type: 'end', ...this.sender, ...body });
        return this.refusable(reply, reply);
      }
      default:
        return { ok: {} };
    }
  }

  private hello({ instanceId, session, slots, executions, gpusHeld = [] }: Hello): Ack<unknown> {
    const reply = this.execute({ type: 'hello', workerId: HERE, instanceId, session, slots, executions, gpusHeld });
    if (reply.kind === 'senderRefused') return superseded();
    return {
      ok: {
        workerId: HERE,
        name: 'here',
        session: reply.session,
        beatIntervalMs: 10_000,
        workerTimeoutMs: WORKER_TIMEOUT_MS,
        verdicts: reply.verdicts,
      },
    };
  }

  private start(ref: AttemptRef): Ack<unknown> {
    const reply = this.execute({ type: 'start', ...this.sender, attemptId: ref.attemptId, epoch: ref.epoch });
    if (reply.kind === 'go') this.granted.add(ref.attemptId);
    return this.refusable(reply, reply);
  }

  private refusable(reply: { readonly kind: string }, ok: unknown): Ack<unknown> {
    return reply.kind === 'senderRefused' ? superseded() : { ok };
  }

  private get sender(): { readonly workerId: WorkerId; readonly session: number } {
    return { workerId: HERE, session: this.slice.workers.get(HERE)?.session ?? 0 };
  }

  private get nowMs(): number {
    return Date.now() + this.skewMs;
  }

  private context(idCount: number): ServerContext {
    const newAttemptIds = Array.from(
      { length: idCount },
      () => `att_${String((this.made += 1)).padStart(26, '0')}` as AttemptId,
    );
    return {
      nowMs: this.nowMs,
      workerTimeoutMs: WORKER_TIMEOUT_MS,
      beatIntervalMs: 10_000,
      offerTtlMs: OFFER_TTL_MS,
      newAttemptIds,
      jitter: 1,
    };
  }

  private execute<Command extends ServerCommand>(command: Command): ReplyOf<Command> {
    const idCount = command.type === 'hello' || command.type === 'beat' ? command.executions.length : 0;
    const decision = serverStep(this.slice, command, this.context(idCount));
    this.slice = applyDecision(this.slice, decision);
    this.deliver(decision.notices);
    return decision.reply;
  }

  private deliver(notices: readonly Notice[]): void {
    for (const notice of notices) {
      if (!('workerId' in notice) || notice.workerId !== HERE) continue;
      if (notice.kind === 'offer') this.offer(notice.attemptId);
      if (notice.kind === 'command')
        this.push({ event: 'attempt:command', body: { ...notice.ref, command: notice.command } });
      if (notice.kind === 'withdraw') this.push({ event: 'attempt:withdraw', body: notice.ref });
    }
  }

  private offer(attemptId: AttemptId): void {
    const attempt = this.slice.attempts.get(attemptId);
    const job = attempt && this.slice.jobs.get(attempt.jobId);
    if (!attempt || !job) return;
    const { epoch, number, gpus } = attempt;
    this.push({
      event: 'attempt:offer',
      body: { attemptId, epoch, number, gpus, jobId: job.id, spec: job.spec, offerTtlMs: OFFER_TTL_MS },
    });
  }
}

function superseded(): Ack<unknown> {
  return { error: { code: 'superseded', detail: 'A newer agent is connected.' } };
}
