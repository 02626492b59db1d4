import { DEFAULT_CONTENT_TYPES } from '@muster/protocol';
import type { Capability, GpuInfo, Inventory, WorkerSample } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import type { ProcessCapabilities } from '../execution/execution-types.js';
import { isBelowFloor } from './disk-floor.js';
import { readGpus } from './gpus.js';
import { MachineSampler, readDisk, readMachine } from './machine.js';

/** Reading starts several programs; reconnects in quick succession share one reading. */
const FRESH_MS = 60_000;

export interface InventoryOptions {
  /** Whose file system counts. */
  readonly stateDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly capability: Capability | undefined;
  readonly contentTypes: readonly string[] | undefined;
  readonly capabilities: ProcessCapabilities;
  readonly clock: Clock;
  /** Given only by tests. */
  readonly readGpus?: () => Promise<readonly GpuInfo[]>;
}

/** What this machine is and how it is doing. */
export class InventoryReader {
  private reading: { readonly atMs: number; readonly inventory: Promise<Inventory> } | null = null;
  private latest: WorkerSample | null = null;
  private sampling: Promise<void> | null = null;
  private wasBelowFloor = false;

  private readonly sampler: MachineSampler;

  constructor(private readonly options: InventoryOptions) {
    this.sampler = new MachineSampler(options.stateDir);
  }

  /** Never rejects: what cannot be found out is left out. */
  read(): Promise<Inventory> {
    const nowMs = this.options.clock.monotonicMs();
    if (!this.reading || nowMs - this.reading.atMs > FRESH_MS) this.reading = { atMs: nowMs, inventory: this.look() };
    return this.reading.inventory;
  }

  /** The newest sample there is; asks for a newer one, so that no beat ever waits for the machine to be looked at. */
  sample(): WorkerSample | null {
    this.sampling ??= this.sampler
      .look()
      .then((sample) => {
        this.latest = sample;
      })
      .finally(() => {
        this.sampling = null;
      });
    return this.latest;
  }

  /** True while the disk is too full for more jobs. */
  async isDiskFull(): Promise<boolean> {
    this.wasBelowFloor = isBelowFloor(await readDisk(this.options.stateDir), this.wasBelowFloor);
    return this.wasBelowFloor;
  }

  private async look(): Promise<Inventory> {
    const { stateDir, labels, capabilities, readGpus: gpusOf = readGpus } = this.options;
    const [machine, gpus] = await Promise.all([readMachine(stateDir), gpusOf()]);
    const capability = this.options.capability ?? (gpus.length > 0 ? 'hybrid' : 'cpu');
    const contentTypes = this.options.contentTypes ?? DEFAULT_CONTENT_TYPES[capability];
    return { ...machine, ...capabilities, gpus, capability, contentTypes, labels };
  }
}
