import { Inject, Injectable } from '@nestjs/common';
import type { ListWorkersQuery } from '@muster/dto';
import { LIMITS } from '@muster/protocol';
import type { Page, WorkerStatsView, WorkerView } from '@muster/protocol';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import { toCursor } from '../http/cursor.js';
import { unknownWorker } from '../http/refusal.js';
import { ONE_SNAPSHOT, PLAN_FOR_VALUES } from '../jobs/jobs.sql.js';
import { findWorkerPage } from './worker-pages.js';
import { countWorkers, type StandingCountRow } from './worker-stats.js';
import { toWorkerView } from './worker.view.js';
import type { ShownWorkerRow } from './worker.view.js';
import { WORKERS_SHOWN, WORKERS_STANDING } from './workers.sql.js';

@Injectable()
export class WorkerReader {
  private readonly workerTimeoutMs: number;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) { workerTimeoutMs }: ControlPlaneConfig,
  ) {
    this.workerTimeoutMs = workerTimeoutMs;
  }

  /**
   * Newest first. A page may be short and the list still go on: no request looks at more than a bounded number of workers.
   */
  async list(query: ListWorkersQuery): Promise<Page<WorkerView>> {
    const limit = query.limit ?? LIMITS.listPageDefault;
    const { page, rows } = await this.database.transaction(async (connection) => {
      await connection.execute(ONE_SNAPSHOT);
      await connection.execute(PLAN_FOR_VALUES);
      const found = await findWorkerPage(connection, query, limit, this.workerTimeoutMs);
      return { page: found, rows: await connection.query<ShownWorkerRow>(WORKERS_SHOWN, [found.ids]) };
    });
    const data = rows.map((row) => toWorkerView(row, this.workerTimeoutMs));
    return { data, nextCursor: page.next === null ? null : toCursor(page.next) };
  }

  async stats(): Promise<WorkerStatsView> {
    const { workerTimeoutMs } = this;
    return countWorkers(await this.database.query<StandingCountRow>(WORKERS_STANDING, [workerTimeoutMs]), workerTimeoutMs);
  }

  async get(id: string): Promise<WorkerView> {
    const [row] = await this.database.query<ShownWorkerRow>(WORKERS_SHOWN, [[id]]);
    if (row === undefined) throw unknownWorker(id);
    return toWorkerView(row, this.workerTimeoutMs);
  }
}
