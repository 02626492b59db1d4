import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LIMITS } from '@muster/protocol';
import type { GpuInfo } from '@muster/protocol';
import { Database } from '../../database/database.js';
import type { Caller } from '../../keys/caller.js';
import { toInventory } from '../foreign-inventory.js';
import { ForeignWorkers } from '../foreign-workers.js';
import { MORAG_OF_OWNER, MORAG_OF_OWNER_BY_ID } from './morag.sql.js';
import { MoragMetricsDto, type MoragHeartbeatDto } from './heartbeat.dto.js';
import { countMorag, toWorkerInfo, type MoragRow, type MoragStats, type WorkerInfo } from './morag.view.js';
import type { MoragHardwareDto, MoragRegistrationDto } from './registration.dto.js';

const ADAPTER = 'morag';
const MB_PER_GB = 1_024;

/** The registry of MoRAG over our own: its workers are workers like any other, which run no jobs of ours. */
@Injectable()
export class MoragRegistry {
  constructor(
    private readonly workers: ForeignWorkers,
    private readonly database: Database,
  ) {}

  /** Resolves with the id the worker goes by from now on: its own, or one made here. */
  async register(caller: Caller, given: MoragRegistrationDto, address: string | undefined): Promise<string> {
    const { hardware, location, capability, name } = given;
    // Whoever knows it may speak for the worker, so ours, which every viewer sees, will not do.
    const foreignId = given.worker_id ?? randomUUID();
    await this.workers.register(
      caller,
      {
        adapter: ADAPTER,
        foreignId,
        machineId: foreignId,
        name,
        version: '',
        slots: given.max_concurrent_tasks,
        inventory: toInventory({
          hostname: location.hostname,
          platform: '',
          capability,
          runKinds: [],
          cpuCores: hardware.cpu_cores,
          memoryMb: Math.round(hardware.memory_gb * MB_PER_GB),
          diskMb: Math.round(hardware.disk_space_gb * MB_PER_GB),
          gpus: toGpus(hardware),
          contentTypes: given.supported_content_types,
          labels: given.tags,
        }),
        features: [],
        registration: given,
        load: 0,
        metrics: new MoragMetricsDto(),
      },
      address,
    );
    return foreignId;
  }

  /** False when there is no such worker. */
  async heartbeat({ worker_id: foreignId, status, metrics }: MoragHeartbeatDto): Promise<boolean> {
    const report = { status, load: metrics.active_tasks, metrics };
    return (await this.workers.heartbeat({ adapter: ADAPTER, foreignId }, report)) !== undefined;
  }

  /** False when there is no such worker. */
  unregister(foreignId: string): Promise<boolean> {
    return this.workers.remove(ADAPTER, foreignId);
  }

  async list(owner: string): Promise<WorkerInfo[]> {
    return (await this.rowsOf(owner)).map(toWorkerInfo);
  }

  async stats(owner: string): Promise<MoragStats> {
    return countMorag(await this.rowsOf(owner));
  }

  /** Undefined when this owner has no such worker. */
  async get(owner: string, foreignId: string): Promise<WorkerInfo | undefined> {
    const [row] = await this.database.query<MoragRow>(MORAG_OF_OWNER_BY_ID, [owner, foreignId]);
    return row && toWorkerInfo(row);
  }

  private rowsOf(owner: string): Promise<MoragRow[]> {
    return this.database.query<MoragRow>(MORAG_OF_OWNER, [owner, LIMITS.workersPerKeyMax]);
  }
}

/** The contract tells how many GPUs there are, their models, and one figure for the memory. */
function toGpus({ gpu_count: count, gpu_models: models, gpu_memory_gb: memoryGb }: MoragHardwareDto): GpuInfo[] {
  const memoryMb = memoryGb > 0 ? Math.round(memoryGb * MB_PER_GB) : null;
  return Array.from({ length: count }, (_none, index) => ({ index, uuid: null, model: models[index] ?? '', memoryMb, driver: null }));
}
