import { Inject, Injectable } from '@nestjs/common';
import { LIMITS } from '@muster/protocol';
import type {
  AttemptEnd, AttemptRef, Beat, BeatAck, EndAck, ExecutionReport, Hello, HelloAck, LogAck, LogChunk, MetricsAppend, Progress, Refuse,
  StartAck, WorkerId,
} from '@muster/protocol';
import type { BeatCommand, BeatDone, EndCommand, SenderRefused } from '@muster/domain';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { EngineService } from '../engine/engine.service.js';
import { LogIngest } from '../logs/log-ingest.js';
import { MetricIngest, type MetricAck } from '../metrics/metric-ingest.js';
import { Fleet } from '../replicas/fleet.js';
import { SampleIngest } from '../workers/sample-ingest.js';
import { WorkerRegistry, type Enrolment, type WorkerKey } from '../workers/worker-registry.js';

/** Who speaks: a worker, in the term of one start of its program. */
export interface Sender {
  readonly workerId: WorkerId;
  readonly session: number;
}
export type Answer<T> = Promise<T | SenderRefused>;
const NOTHING: Record<string, never> = {};

/** A machine that is not known yet is not taken now. */
export class TooManyWorkers extends Error {}

type Beaten = BeatAck & Pick<BeatDone, 'slots'>;
type Enrolled = Extract<Enrolment, { readonly workerId: WorkerId }>;

/**
 * What workers say, however it travels: over a socket (`sockets/`), over REST (`http-workers/`), or through an adapter
 * (`compat/`). There is one lease protocol, and this is its counter: each is answered once its effect is committed, and a
 * sender that is not, or no longer, the worker's program is told so instead.
 */
@Injectable()
export class WorkerDesk {
  constructor(
    private readonly registry: WorkerRegistry,
    private readonly engine: EngineService,
    private readonly logs: LogIngest,
    private readonly metrics: MetricIngest,
    private readonly samples: SampleIngest,
    private readonly fleet: Fleet,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /**
   * Registers the machine and rules on everything it holds.
   *
   * @param mayStillCount throws when the hello has become too old to be ruled on; asked with the rows locked
   * @throws TooManyWorkers
   */
  async hello(key: WorkerKey, hello: Hello, mayStillCount: () => void = () => undefined): Answer<HelloAck> {
    const enrolled = await this.enrol(key, hello);
    return 'kind' in enrolled ? enrolled : this.greet(enrolled, hello, mayStillCount);
  }

  /**
   * Only which worker a machine is, and what it says it is; `greet` makes who says so its newest program.
   *
   * @throws TooManyWorkers
   */
  async enrol(key: WorkerKey, hello: Hello): Answer<Enrolled> {
    const enrolment = await this.registry.enrol(key, hello);
    if (!('refused' in enrolment)) return enrolment;
    if (enrolment.refused === 'tooMany') throw new TooManyWorkers(enrolment.detail);
    return { kind: 'senderRefused', reason: enrolment.refused };
  }

  async greet({ workerId, name }: Enrolled, hello: Hello, mayStillCount: () => void = () => undefined): Answer<HelloAck> {
    const { instanceId, session, slots, executions, gpusHeld = [] } = hello;
    const reply = await this.engine.execute({ type: 'hello', workerId, instanceId, session, slots, executions, gpusHeld }, mayStillCount);
    if (reply.kind === 'senderRefused') return reply;
    return {
      workerId,
      name,
      session: reply.session,
      slots: reply.slots,
      beatIntervalMs: this.fleet.beatIntervalMs(),
      workerTimeoutMs: this.config.workerTimeoutMs,
      verdicts: reply.verdicts,
      logChunkBytesMax: LIMITS.logChunkBytesMax,
    };
  }

  /** @param latencyMs there and back to the worker, where a connection stays open and was measured */
  async beat(sender: Sender, beat: Beat, latencyMs: number | null = null): Answer<Beaten> {
    const { executions, paused: isPaused, slotsFree, gpusHeld = [] } = beat;
    // The message's own number, not the socket's: a beat of an older start must be recognised as such.
    const { session } = beat;
    const reply = await this.engine.execute({ type: 'beat', workerId: sender.workerId, session, executions, isPaused, slotsFree, gpusHeld });
    if (reply.kind === 'senderRefused') return reply;
    // May be lost, so nobody waits for it.
    if (beat.sample) this.samples.sample(sender.workerId, beat.sample, latencyMs).catch(() => undefined);
    return this.toAck(reply);
  }

  /** Less than a beat: renews what it lists and shows that the worker lives, and says nothing of its slots. */
  async renew(sender: Sender, executions: readonly ExecutionReport[], how: Pick<BeatCommand, 'isEcho'> = {}): Answer<Beaten> {
    const command = { type: 'beat', ...sender, executions, isPaused: false, slotsFree: 0, gpusHeld: [], isPartial: true, ...how } as const;
    // With a condition, the reducer decides it: lanes that gather whole beats know no others.
    const reply = await this.engine.execute(command, () => undefined);
    return reply.kind === 'senderRefused' ? reply : this.toAck(reply);
  }

  async start(sender: Sender, ref: AttemptRef): Answer<StartAck> {
    return this.engine.execute({ type: 'start', ...sender, ...ref });
  }

  async refuse(sender: Sender, refuse: Refuse): Answer<typeof NOTHING> {
    const reply = await this.engine.execute({ type: 'refuse', ...sender, ...refuse });
    return reply.kind === 'senderRefused' ? reply : NOTHING;
  }

  async end(sender: Sender, end: AttemptEnd, how: Pick<EndCommand, 'isUsersWord'> = {}): Answer<EndAck> {
    return this.engine.execute({ type: 'end', ...sender, ...end, ...how });
  }

  async progress(sender: Sender, progress: Progress): Promise<typeof NOTHING> {
    await this.samples.progress(sender.workerId, progress);
    return NOTHING;
  }

  async append(sender: Sender, chunk: LogChunk): Promise<LogAck> {
    return this.logs.append(sender.workerId, chunk);
  }

  async measure(sender: Sender, message: MetricsAppend): Promise<MetricAck> {
    return this.metrics.append(sender.workerId, message);
  }

  private toAck({ slots, verdicts }: BeatDone): Beaten {
    return { beatIntervalMs: this.fleet.beatIntervalMs(), slots, verdicts };
  }

  /** Resolves when everything taken is answered. */
  async close(): Promise<void> {
    await Promise.all([this.engine.close(), this.logs.close(), this.metrics.close(), this.samples.close()]);
  }
}
