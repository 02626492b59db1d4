import { Inject, Injectable } from '@nestjs/common';
import { LIMITS } from '@muster/protocol';
import type {
  Beat, BeatAck, EndAck, Hello, HelloAck, LogAck, LogChunk, MetricsAppend, Progress, Refuse, StartAck, WorkerId, AttemptEnd,
  AttemptRef,
} from '@muster/protocol';
import type { SenderRefused } from '@muster/domain';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { EngineService } from '../engine/engine.service.js';
import { LogIngest } from '../logs/log-ingest.js';
import { MetricIngest, type MetricAck } from '../metrics/metric-ingest.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { Fleet } from '../replicas/fleet.js';
import { SampleIngest } from '../workers/sample-ingest.js';
import { WorkerRegistry, type WorkerKey } from '../workers/worker-registry.js';
import { AgentSessions } from './agent-sessions.js';

/** The synced agent that speaks. */
export interface Sender {
  readonly workerId: WorkerId;
  readonly session: number;
}
type Answer<T> = Promise<T | SenderRefused>;
const NOTHING: Record<string, never> = {};

/** A machine that is not known yet is not taken now. */
export class TooManyWorkers extends Error {}

/** One method per event of an agent: each is answered once its effect is committed. */
@Injectable()
export class AgentDesk {
  constructor(
    private readonly registry: WorkerRegistry,
    private readonly engine: EngineService,
    private readonly logs: LogIngest,
    private readonly metrics: MetricIngest,
    private readonly samples: SampleIngest,
    private readonly fleet: Fleet,
    private readonly sessions: AgentSessions,
    private readonly dispatcher: Dispatcher,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /**
   * Registers the machine, rules on everything it holds, and makes it this replica's to offer work to.
   *
   * @param mayStillCount throws when the hello has become too old to be ruled on; asked with the rows locked
   */
  async hello(key: WorkerKey, hello: Hello, mayStillCount: () => void): Answer<HelloAck> {
    const enrolment = await this.registry.enrol(key, hello);
    if ('refused' in enrolment) {
      if (enrolment.refused === 'tooMany') throw new TooManyWorkers(enrolment.detail);
      return { kind: 'senderRefused', reason: enrolment.refused };
    }
    const { workerId, name } = enrolment;
    const { instanceId, session, slots, executions, gpusHeld = [] } = hello;
    const reply = await this.engine.execute({ type: 'hello', workerId, instanceId, session, slots, executions, gpusHeld }, mayStillCount);
    if (reply.kind === 'senderRefused') return reply;
    await this.registry.attach(workerId, reply.session);
    return {
      workerId,
      name,
      session: reply.session,
      beatIntervalMs: this.fleet.beatIntervalMs(),
      workerTimeoutMs: this.config.workerTimeoutMs,
      verdicts: reply.verdicts,
      logChunkBytesMax: LIMITS.logChunkBytesMax,
    };
  }

  async beat(sender: Sender, beat: Beat): Answer<BeatAck> {
    const { executions, paused: isPaused, slotsFree, gpusHeld = [] } = beat;
    // The message's own number, not the socket's: a beat of an older start must be recognised as such.
    const { session } = beat;
    const reply = await this.engine.execute({ type: 'beat', workerId: sender.workerId, session, executions, isPaused, slotsFree, gpusHeld });
    if (reply.kind === 'senderRefused') return reply;
    // May be lost, so nobody waits for it.
    if (beat.sample) this.samples.sample(sender.workerId, beat.sample).catch(() => undefined);
    return { beatIntervalMs: this.fleet.beatIntervalMs(), verdicts: reply.verdicts };
  }

  async start(sender: Sender, ref: AttemptRef): Answer<StartAck> {
    return this.engine.execute({ type: 'start', ...sender, ...ref });
  }

  async refuse(sender: Sender, refuse: Refuse): Answer<typeof NOTHING> {
    const reply = await this.engine.execute({ type: 'refuse', ...sender, ...refuse });
    return reply.kind === 'senderRefused' ? reply : NOTHING;
  }

  async end(sender: Sender, end: AttemptEnd): Answer<EndAck> {
    return this.engine.execute({ type: 'end', ...sender, ...end });
  }

  async progress(sender: Sender, progress: Progress): Answer<typeof NOTHING> {
    await this.samples.progress(sender.workerId, progress);
    return NOTHING;
  }

  async append(sender: Sender, chunk: LogChunk): Answer<LogAck> {
    return this.logs.append(sender.workerId, chunk);
  }

  async measure(sender: Sender, message: MetricsAppend): Answer<MetricAck> {
    return this.metrics.append(sender.workerId, message);
  }

  /** The agent was greeted and its socket is here now: what it missed while it was away is said, and it may be offered work. */
  async arrived(workerId: WorkerId): Promise<void> {
    await this.dispatcher.offerAgain(workerId);
  }

  /**
   * The socket of this sender closed here. A newer one, opened while this was being stored, keeps the worker here; a newer
   * start of the agent, which may not be here yet but was greeted, is not gone because its predecessor is.
   */
  async leave({ workerId, session }: Sender): Promise<void> {
    if (!(await this.registry.detach(workerId, session))) return;
    const newer = this.sessions.get(workerId);
    if (newer) await this.registry.attach(workerId, newer.session);
    else await this.registry.markClosed(workerId);
  }

  /**
   * Says again of every worker heard here lately that it is here. Connections that begin and end while PostgreSQL is slow,
   * here and elsewhere, may be stored in any order; without this a worker that beats could be nobody's to offer work to.
   */
  async keepAttached(): Promise<void> {
    const heard = this.sessions.takeHeard();
    if (heard.length > 0 && (await this.registry.attachAll(heard)) > 0) this.dispatcher.wake();
  }

  /** Resolves when everything taken is answered. */
  async close(): Promise<void> {
    await Promise.all([this.engine.close(), this.logs.close(), this.metrics.close(), this.samples.close()]);
  }
}
