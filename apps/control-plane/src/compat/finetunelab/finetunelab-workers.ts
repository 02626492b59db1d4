import { Inject, Injectable } from '@nestjs/common';
import type { Capability, WorkerId } from '@muster/protocol';
import type { ControlPlaneConfig } from '../../config.js';
import { CONFIG } from '../../core.module.js';
import type { Caller } from '../../keys/caller.js';
import { SampleIngest } from '../../workers/sample-ingest.js';
import { toInventory } from '../foreign-inventory.js';
import { ForeignWorkers } from '../foreign-workers.js';
import type { FinetunelabHeartbeatDto } from './heartbeat.dto.js';
import { toFinetunelabCommands, type FinetunelabCommand } from './pending-commands.js';
import type { FinetunelabRegisterDto } from './registration.dto.js';

const ADAPTER = 'finetunelab';
/** One training run at a time: it takes the whole machine. */
const MAX_CONCURRENCY = 1;
const HEARTBEAT_SECONDS = 30;

/** What the worker is told when it has registered. */
export interface FinetunelabTerms {
  readonly workerId: WorkerId;
  readonly heartbeatIntervalSeconds: number;
  readonly maxConcurrency: number;
}

/** Workers of FineTune Lab over our own registry. They take `external:finetunelab` jobs and no others. */
@Injectable()
export class FinetunelabWorkers {
  constructor(
    private readonly workers: ForeignWorkers,
    private readonly samples: SampleIngest,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** The same worker for the same key and hostname, however often it registers. */
  async register(caller: Caller, given: FinetunelabRegisterDto, address: string | undefined): Promise<FinetunelabTerms> {
    const { hostname, platform, version, capabilities, metadata } = given;
    const { workerId, slots } = await this.workers.register(
      caller,
      {
        adapter: ADAPTER,
        foreignId: null,
        machineId: hostname,
        name: hostname,
        version,
        slots: MAX_CONCURRENCY,
        inventory: toInventory({ hostname, platform, capability: capabilityOf(capabilities), runKinds: [`external:${ADAPTER}`] }),
        features: capabilities,
        registration: { hostname, platform, version, capabilities, metadata },
        load: null,
        metrics: null,
      },
      address,
    );
    return { workerId, heartbeatIntervalSeconds: this.heartbeatSeconds(), maxConcurrency: Math.max(1, slots) };
  }

  /** What is to be done with its jobs; undefined when the caller's owner has no such worker. */
  async heartbeat(caller: Caller, id: string, given: FinetunelabHeartbeatDto): Promise<readonly FinetunelabCommand[] | undefined> {
    const { status, current_load: load = null, metrics = null } = given;
    const heard = await this.workers.heartbeat({ adapter: ADAPTER, foreignId: id, owner: caller.owner }, { status, load, metrics });
    if (heard === undefined) return undefined;
    if (metrics !== null) {
      // May be lost, so nobody waits for it.
      const sample = { cpuPercent: metrics.cpu_percent, memoryUsedMb: metrics.memory_used_mb, diskFreeMb: null };
      this.samples.sample(heard.workerId, sample).catch(() => undefined);
    }
    return toFinetunelabCommands(heard.commands);
  }

  /** Two within the time after which a silent worker is offline. */
  private heartbeatSeconds(): number {
    return Math.max(1, Math.min(HEARTBEAT_SECONDS, Math.floor(this.config.workerTimeoutMs / 2_000)));
  }
}

/** Its words are free; these two say that there is a GPU, beside which the machine always has a processor. */
function capabilityOf(words: readonly string[]): Capability {
  return words.some((word) => /^(gpu|cuda)$/i.test(word)) ? 'hybrid' : 'cpu';
}
