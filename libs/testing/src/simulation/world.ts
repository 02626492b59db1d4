/** Everything of one schedule, and what happened in it. */
import type { ServerCommand, ServerDecision, WorkerProfile } from '@muster/domain';
import { isFinalJob } from '@muster/domain';
import type { AttemptEnd, AttemptId, JobId, WorkerId } from '@muster/protocol';
import type { AgentHost } from './agent-host.js';
import { Database } from './database.js';
import { Violation } from './invariants.js';
import { Machine } from './machine.js';
import type { JobPlan, Process } from './machine.js';
import { Network } from './network.js';
import type { Connection } from './network.js';
import { Random } from './random.js';
import type { Recorder } from './recorder.js';
import type { Reducers } from './reducers.js';
import { Replica } from './replica.js';
import { Scheduler } from './scheduler.js';
import type { Faults, Settings } from './settings.js';

export interface WorldOptions {
  readonly reducers: Reducers;
  readonly isTraced: boolean;
  readonly recorder?: Recorder;
}

export class World {
  readonly random: Random;
  readonly scheduler = new Scheduler();
  readonly database: Database;
  readonly network: Network;
  readonly replicas: Replica[];
  readonly machines: Machine[];
  readonly counters = new Map<string, number>();
  readonly lines: string[] = [];
  readonly reducers: Reducers;
  readonly recorder: Recorder | undefined;
  faults: Faults;
  private readonly isTraced: boolean;
  private readonly plans = new Map<JobId, JobPlan>();
  private connectionsMade = 0;
  private readonly outcomes = new Map<AttemptId, string>();

  constructor(
    readonly settings: Settings,
    options: WorldOptions,
  ) {
    this.reducers = options.reducers;
    this.isTraced = options.isTraced;
    this.recorder = options.recorder;
    this.random = new Random(settings.seed);
    this.faults = settings.faults;
    this.database = new Database(this);
    this.network = new Network(this);
    this.replicas = Array.from({ length: settings.replicaCount }, (_, index) => new Replica(this, index));
    this.machines = Array.from({ length: settings.machineCount }, (_, index) => {
      const slots = this.random.whole(1, 3);
      return new Machine(this, index, `wkr_${index}` as WorkerId, { slots, startCount: 0 });
    });
    for (const machine of this.machines) this.insertWorker(machine);
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  after(delayMs: number, run: () => void): void {
    this.scheduler.after(delayMs, run);
  }

  count(name: string): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + 1);
  }

  trace(line: () => string): void {
    if (this.isTraced) this.lines.push(`${this.nowMs.toFixed(0).padStart(7)} ${line()}`);
  }

  plan(jobId: JobId, plan: JobPlan): void {
    this.plans.set(jobId, plan);
  }

  planOf(jobId: JobId): JobPlan {
    const plan = this.plans.get(jobId);
    if (plan === undefined) throw new Violation('known job', jobId);
    return plan;
  }

  /** A command nobody waits for; lost while the database is away. */
  run(command: ServerCommand): void {
    const decision = this.database.transact(command);
    this.trace(() => `world ${JSON.stringify(command)} -> ${JSON.stringify(decision?.reply ?? 'away')}`);
    const replica = this.replicas.find((one) => one.isAlive);
    for (const notice of decision?.notices ?? []) replica?.take(notice);
  }

  connect(host: AgentHost): Connection | null {
    const replica = this.random.pick(this.replicas);
    if (!replica.isAlive) return null;
    const connection: Connection = { id: ++this.connectionsMade, host, replica, replicaStart: replica.startCount, isOpen: true, session: null };
    if (this.network.isCut(connection, 'up') || this.network.isCut(connection, 'down')) return null;
    replica.accept(connection);
    return connection;
  }

  profileOf(workerId: WorkerId): WorkerProfile {
    return {
      name: workerId, capability: 'cpu', contentTypes: [], labels: { home: workerId }, cpuCores: 8, memoryMb: 8_000, gpus: [{ index: 0, model: 'H100' }],
      containment: ['group'], runKinds: ['command'],
    };
  }

  /** I4 and the machine's half of I5, at the moment a process begins. */
  processBegan(machine: Machine, process: Process): void {
    this.count('processes');
    this.trace(() => `machine ${machine.index} process of ${process.executionId} begins`);
    if (machine.liveProcesses().length > machine.slots) throw new Violation('I5 capacity', `machine ${machine.index} runs more than ${machine.slots}`);
    const job = this.database.all.jobs.get(process.jobId);
    if (job?.spec.disconnect.exclusive !== true) return;
    const copies = this.machines.flatMap((one) => one.liveProcesses()).filter((one) => one.jobId === process.jobId);
    if (copies.length > 1) throw new Violation('I4 one process', `${process.jobId}: ${copies.map((one) => one.executionId).join(' and ')}`);
  }

  /** I3 and I9: an accepted end is that of the process that runs in the job's current term, and it says what happened. */
  expectEnd(host: AgentHost, end: AttemptEnd): void {
    const directory = [...host.machine.disk.values()].find((one) => one.ref.attemptId === end.attemptId);
    if (directory?.end != null && directory.end.outcome !== end.outcome) throw new Violation('I9 true end', `${end.attemptId} reported as ${end.outcome}`);
  }

  isEndStored(end: AttemptEnd): boolean {
    const { attempts } = this.database.all;
    const named = attempts.get(end.attemptId);
    return [...attempts.values()].some((one) => one.logId === named?.logId && one.outcome === end.outcome);
  }

  /** What a committed decision did, for the counters that must not stay at zero. */
  observe(decision: ServerDecision): void {
    for (const event of decision.events) this.count(event.type);
    for (const attempt of decision.attempts) if (attempt.state === 'ended') this.checkOutcome(attempt.logId, attempt.outcome);
    const { reply } = decision;
    for (const attempt of decision.attempts) {
      const before = this.outcomes.get(attempt.id);
      if (before === 'lost' && attempt.outcome !== 'lost') this.count('late end accepted');
      if (attempt.outcome !== null) this.outcomes.set(attempt.id, attempt.outcome);
    }
    if ('verdicts' in reply && reply.verdicts.some((verdict) => verdict.kind === 'reclaimed') && decision.events.every((event) => event.type !== 'job.reclaimed')) {
      this.count('reclaim told again');
    }
    if ('verdicts' in reply) for (const verdict of reply.verdicts) this.count(`verdict ${verdict.kind}`);
    else if (reply.kind === 'superseded') this.count('stale end refused');
    else if (reply.kind === 'repeated') this.count('end repeated');
    else if (reply.kind === 'senderRefused') this.count('superseded sender');
  }

  /** An agent leaves for good only when another one has its identity. */
  agentExits(host: AgentHost, reason: string): void {
    this.count(`agent exit ${reason}`);
    if (reason === 'asked') {
      this.after(this.random.between(200, 5_000), () => host.machine.startAgent());
      return;
    }
    const rival = this.machines.some((one) => one !== host.machine && one.workerId === host.workerId);
    const isReplaced = host.machine.host !== host;
    if (!rival && !isReplaced) throw new Violation('superseded only by another', `${host.machine.index}: ${reason}`);
    host.machine.isAbandoned = true;
  }

  /** Another machine comes up with the identity of this one, and an empty disk. */
  usurp(victim: Machine): void {
    const usurper = new Machine(this, this.machines.length, victim.workerId, { slots: victim.slots, startCount: 1_000 });
    this.machines.push(usurper);
    this.count('usurpers');
    usurper.startAgent();
  }

  areJobsFinal(): boolean {
    return [...this.database.all.jobs.values()].every((job) => isFinalJob(job.status));
  }

  private insertWorker(machine: Machine): void {
    const { workerId } = machine;
    this.database.insertWorker({
      id: workerId, name: workerId, owner: 'team', session: 0, instanceId: null, slots: machine.slots, slotsUsable: 0, isPaused: false,
      link: 'unreachable', lastBeatMs: null, isRemoved: false,
    });
  }

  private checkOutcome(executionId: string, outcome: string | null): void {
    if (outcome !== 'succeeded') return;
    const directories = this.machines.flatMap((one) => [...one.disk.values()]).filter((one) => one.intent.executionId === executionId);
    const isTrue = directories.some(({ process }) => process !== null && process.endedMs !== null && process.plan.exitCode === 0);
    if (!isTrue) throw new Violation('I9 true end', `${executionId} did not succeed`);
  }
}
