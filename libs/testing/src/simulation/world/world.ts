/** Everything of one schedule: who is in it, its time, its chance, and its count of what happened. */
import type { WorkerProfile } from '@muster/domain';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import { Auditor } from '../invariants/auditor.js';
import { Violation } from '../invariants/violation.js';
import { NO_FAULTS } from '../settings/faults.js';
import type { Faults } from '../settings/faults.js';
import type { Settings } from '../settings/settings.js';
import type { Host } from './host.js';
import type { HttpProgram } from './http-program.js';
import { Database } from './database.js';
import { copyOfDisk } from './disk-copy.js';
import { Machine } from './machine.js';
import { Network } from './network.js';
import type { Connection } from './network.js';
import type { JobPlan } from './process.js';
import { Random } from './random.js';
import type { Recorder } from './recorder.js';
import type { Reducers } from './reducers.js';
import { Replica } from './replica.js';
import { Scheduler } from './scheduler.js';

export interface WorldOptions {
  readonly reducers: Reducers;
  readonly isTraced: boolean;
  readonly recorder?: Recorder;
}

export class World {
  /** How long things take. Faults and people have their own, so that leaving one of them out changes as little as it can. */
  readonly random: Random;
  /** Who dies, and who stands still. */
  readonly fate: Random;
  readonly scheduler = new Scheduler();
  readonly auditor = new Auditor(this);
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
  private readonly profiles = new Map<WorkerId, WorkerProfile>();
  private connectionsMade = 0;
  /** Its disk is copied soon after the next intent was written there: then there is most to be taken wrongly. */
  private toBeCopied: Machine | null = null;
  /** Executions that stood on two disks. */
  readonly copied = new Set<AttemptId>();
  /** Executions whose process came to a good end. */
  readonly succeeded = new Set<AttemptId>();

  constructor(
    readonly settings: Settings,
    options: WorldOptions,
  ) {
    this.reducers = options.reducers;
    this.isTraced = options.isTraced;
    this.recorder = options.recorder;
    this.random = new Random(settings.seed);
    this.fate = new Random(settings.seed ^ 0x2545f491);
    this.faults = settings.faults;
    this.database = new Database(this);
    this.network = new Network(this);
    this.replicas = Array.from({ length: settings.replicaCount }, (_, index) => new Replica(this, index));
    const kinds = new Random(settings.seed ^ 0x165667b1);
    this.machines = Array.from({ length: settings.machineCount }, (_, index) => {
      const slots = this.random.whole(1, 3);
      return new Machine(this, index, `wkr_${index}` as WorkerId, { slots, startCount: 0, isHttp: kinds.chance(settings.httpShare) });
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

  /** Longer than some lease. */
  absenceMs(): number {
    const [low, high] = this.settings.longAbsenceMs;
    return this.fate.between(low, high);
  }

  /** @param isKept the replica knows it as one of its sockets */
  connect(host: Host, isKept = true): Connection | null {
    const replica = this.random.pick(this.replicas);
    if (!replica.isAlive || replica.isFrozen) return null;
    const connection: Connection = {
      id: ++this.connectionsMade, host, replica, replicaStart: replica.startCount, openedMs: this.nowMs, isOpen: true, session: null, arrivalMs: { up: 0, down: 0 },
    };
    if (this.network.isCut(connection, 'up') || this.network.isCut(connection, 'down')) return null;
    if (isKept) replica.accept(connection);
    return connection;
  }

  profileOf(workerId: WorkerId): WorkerProfile {
    const known = this.profiles.get(workerId);
    if (known !== undefined) return known;
    const profile: WorkerProfile = {
      name: workerId, capability: 'cpu', contentTypes: [], labels: { home: workerId }, cpuCores: 8, memoryMb: 8_000,
      gpus: [{ index: 0, model: 'H100' }, { index: 1, model: 'H100' }], containment: ['group'], runKinds: ['command'],
    };
    this.profiles.set(workerId, profile);
    return profile;
  }

  /** An agent leaves for good only when another one has its identity. */
  agentExits(host: Host, reason: string): void {
    this.count(`agent exit ${reason}`);
    if (reason === 'asked') {
      this.after(this.random.between(200, 5_000), () => host.machine.startAgent());
      return;
    }
    const rival = this.machines.some((one) => one !== host.machine && one.workerId === host.workerId);
    const isReplaced = host.machine.host !== host;
    const isRemoved = this.database.tables.workers.get(host.workerId)?.isRemoved === true;
    if (!rival && !isReplaced && !isRemoved) throw new Violation('superseded only by another', `${host.machine.index}: ${reason}`);
    host.machine.isAbandoned = true;
  }

  isHttp(workerId: WorkerId): boolean {
    return this.machines.some((machine) => machine.workerId === workerId && machine.isHttp);
  }

  /** Another program registered as this worker: one of the two gives way for good, once nothing old is on its way any more. */
  programEnds(program: HttpProgram): void {
    const { machine } = program;
    program.die('superseded');
    const isRemoved = this.database.tables.workers.get(machine.workerId)?.isRemoved === true;
    const hasRival = this.machines.some((one) => one !== machine && one.workerId === machine.workerId && !one.isAbandoned);
    if (isRemoved || (hasRival && this.faults === NO_FAULTS)) machine.isAbandoned = true;
    else this.after(this.random.between(1_000, 10_000), () => machine.startAgent());
  }

  /** Another machine comes up with the identity of this one and an empty disk; it may have been started more often, or less. */
  usurp(victim: Machine): void {
    const startCount = this.random.pick([1_000, victim.startCount, 0]);
    const usurper = new Machine(this, this.machines.length, victim.workerId, { slots: victim.slots, startCount, isHttp: victim.isHttp });
    this.machines.push(usurper);
    this.count('usurpers');
    usurper.startAgent();
  }

  /** A snapshot of this machine's disk is taken one of these days, and comes up as another machine later. */
  copyDiskOf(victim: Machine): void {
    this.toBeCopied = victim;
  }

  intentStands(machine: Machine): void {
    if (machine !== this.toBeCopied) return;
    this.toBeCopied = null;
    const [takenMs, startedMs] = [this.random.between(0, 100), this.random.between(0, 10_000)];
    this.after(takenMs * this.random.pick([1, 1, 50]), () => {
      const { slots, startCount, workerId } = machine;
      const disk = copyOfDisk(machine.disk.values(), this.nowMs);
      const copy = new Machine(this, this.machines.length, workerId, { slots, startCount, disk });
      this.machines.push(copy);
      for (const executionId of disk.keys()) this.copied.add(executionId);
      this.count('disks copied');
      for (const { process, end } of disk.values()) if (process === null && end === null) this.count('intents copied');
      this.after(startedMs, () => copy.startAgent());
    });
  }

  /** Whatever is still wrong is mended now. */
  heal(): void {
    this.trace(() => 'the world heals');
    this.faults = NO_FAULTS;
    this.toBeCopied = null;
    this.network.heal();
    this.database.isUp = true;
    for (const replica of this.replicas) replica.wake();
    for (const machine of this.machines) {
      machine.isWardenAlive = true;
      machine.object(null);
      machine.host?.wake();
    }
  }

  private insertWorker(machine: Machine): void {
    const { workerId } = machine;
    this.database.insertWorker({
      id: workerId, name: workerId, owner: 'team', session: 0, instanceId: null, slots: machine.slots, slotsUsable: 0, gpusHeld: [], slotsOrdered: null,
      slotsSaid: null, isPaused: false, maintenance: null, link: 'unreachable', lastBeatMs: null, isFenced: false, isRemoved: false,
    });
  }
}
