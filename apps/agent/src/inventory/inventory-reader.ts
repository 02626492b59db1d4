import { access, constants } from 'node:fs/promises';
import { DEFAULT_CONTENT_TYPES } from '@muster/protocol';
import type { Capability, Inventory, Refusal, WorkerFault, WorkerSample } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import type { ProcessCapabilities } from '../execution/execution-types.js';
import { AttemptMeter, type RunningAttempt } from './attempt-meter.js';
import { isBelowFloor } from './disk-floor.js';
import { faultsOf } from './faults.js';
import type { GpuToolState, GpuWatch } from './gpu-watch.js';
import { MachineSampler, readDisk, readMachine, type DiskSpace } from './machine.js';
import { countDrivenGpus } from './pci-gpus.js';

/** Reading starts several programs; reconnects in quick succession share one reading. */
const FRESH_MS = 60_000;
/** Beats may come in quick succession; load over a moment says nothing. */
const SAMPLE_MS = 1_000;

/** What runs here now, and how the part that runs it is. */
export interface RunningPart {
  running(): readonly RunningAttempt[];
  slotsQuarantined(): number;
  /** Why no process can be started; null when they can. */
  runtimeProblem(): string | null;
}

export interface InventoryOptions {
  /** Whose file system counts. */
  readonly stateDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly capability: Capability | undefined;
  readonly contentTypes: readonly string[] | undefined;
  readonly capabilities: ProcessCapabilities;
  readonly clock: Clock;
  readonly gpus: Pick<GpuWatch, 'inventory' | 'latest' | 'state' | 'gpus'>;
  readonly processes: RunningPart;
  /** Given only by tests. */
  readonly countDrivenGpus?: () => Promise<number>;
}

/** What this machine is and how it is doing. */
export class InventoryReader {
  private reading: { readonly atMs: number; readonly inventory: Promise<Inventory> } | null = null;
  private known: Inventory | null = null;
  private latest: WorkerSample | null = null;
  private sampling: Promise<void> | null = null;
  private sampledAtMs = Number.NEGATIVE_INFINITY;
  private disk: DiskSpace | null = null;
  private wasBelowFloor = false;
  private drivenGpus = 0;
  private faults: readonly WorkerFault[] = [];
  private readonly sampler: MachineSampler;
  private readonly attempts = new AttemptMeter();

  constructor(private readonly options: InventoryOptions) {
    this.sampler = new MachineSampler(options.stateDir, options.clock);
  }

  /** Never rejects: what cannot be found out is left out. */
  read(): Promise<Inventory> {
    const nowMs = this.options.clock.monotonicMs();
    if (!this.reading || nowMs - this.reading.atMs > FRESH_MS) this.reading = { atMs: nowMs, inventory: this.look() };
    return this.reading.inventory;
  }

  /** The newest sample there is; asks for a newer one, so that no beat ever waits for the machine to be looked at. */
  sample(): WorkerSample | null {
    const nowMs = this.options.clock.monotonicMs();
    if (this.sampling === null && nowMs - this.sampledAtMs >= SAMPLE_MS) {
      this.sampledAtMs = nowMs;
      this.sampling = this.takeSample()
        .then((sample) => {
          this.latest = sample;
        })
        // What cannot be looked at now may be at the next beat.
        .catch(() => undefined)
        .finally(() => {
          this.sampling = null;
        });
    }
    return this.latest;
  }

  /** True while the disk is too full for more jobs. */
  async isDiskFull(): Promise<boolean> {
    this.disk = await readDisk(this.options.stateDir);
    this.wasBelowFloor = isBelowFloor(this.disk, this.wasBelowFloor);
    return this.wasBelowFloor;
  }

  /** Why no job is taken here now, whatever it is: no room to write, or no process that starts. Null when they are. */
  async objection(): Promise<Refusal | null> {
    const { stateDir, processes } = this.options;
    if ((await this.isDiskFull()) || (await problemWith(stateDir)) !== null) return 'diskFloor';
    return processes.runtimeProblem() === null ? null : 'noSlot';
  }

  /** As it was last seen; nothing is looked at for it. */
  get seen(): MachineSeen {
    const { disk, faults, known: inventory, latest: sample } = this;
    return { disk, faults, inventory, sample, gpuTool: this.options.gpus.state, drivenGpus: this.drivenGpus };
  }

  private async look(): Promise<Inventory> {
    const { stateDir, labels, capabilities, gpus: watch } = this.options;
    const count = this.options.countDrivenGpus ?? countDrivenGpus;
    const [machine, gpus, drivenGpus] = await Promise.all([readMachine(stateDir), watch.inventory(), count()]);
    this.drivenGpus = drivenGpus;
    const capability = this.options.capability ?? (gpus.length > 0 ? 'hybrid' : 'cpu');
    const contentTypes = this.options.contentTypes ?? DEFAULT_CONTENT_TYPES[capability];
    this.known = { ...machine, ...capabilities, gpus, capability, contentTypes, labels };
    // So that the first beat has one.
    this.sample();
    return this.known;
  }

  private async takeSample(): Promise<WorkerSample> {
    const { gpus: watch, processes } = this.options;
    const running = processes.running();
    const gpus = watch.latest(running.length > 0);
    const [machine, attempts] = await Promise.all([
      this.sampler.look(),
      this.attempts.look(running, gpus?.processes ?? null),
      this.checkSelf(),
    ]);
    return { ...machine, gpus: gpus?.gpus ?? [], attempts, faults: this.faults };
  }

  private async checkSelf(): Promise<void> {
    const { stateDir, gpus, processes } = this.options;
    await this.isDiskFull();
    this.faults = faultsOf({
      disk: this.disk,
      isBelowFloor: this.wasBelowFloor,
      stateDirectoryProblem: await problemWith(stateDir),
      runtimeProblem: processes.runtimeProblem(),
      slotsQuarantined: processes.slotsQuarantined(),
      gpuTool: gpus.state,
      gpusExpected: Math.max(gpus.gpus.length, this.drivenGpus),
    });
  }
}

/** What was last seen of the machine; null where nobody has looked yet. */
export interface MachineSeen {
  readonly disk: DiskSpace | null;
  readonly faults: readonly WorkerFault[];
  readonly inventory: Inventory | null;
  readonly sample: WorkerSample | null;
  readonly gpuTool: GpuToolState;
  readonly drivenGpus: number;
}

/** Null when this user can write there; a file system that was mounted anew for reading only is a problem for root too. */
export async function problemWith(directory: string): Promise<string | null> {
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return `${directory}, where the agent keeps its state, cannot be written (${reason}).`;
  }
}
