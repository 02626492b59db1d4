import { Injectable } from '@nestjs/common';
import type { ListWorkersQuery } from '@muster/dto';
import { ID_PREFIXES, isId, LIMITS } from '@muster/protocol';
import type { Page, WorkerId, WorkerStatsView, WorkerView } from '@muster/protocol';
import { Database } from '../database/database.js';
import { fromCursor, toCursor } from '../http/cursor.js';
import { unknownWorker } from '../http/refusal.js';
import { countWorkers } from './worker-stats.js';
import { toWorkerView } from './worker.view.js';
import type { ShownWorkerRow, WorkerStandingRow } from './worker.view.js';
import { WORKER_BY_ID, WORKERS_PAGE, WORKERS_STANDING } from './workers.sql.js';

const isWorkerId = (text: string): text is WorkerId => isId(ID_PREFIXES.worker, text);

@Injectable()
export class WorkerReader {
  constructor(private readonly database: Database) {}

  /** The shown status is computed, so a filter by it looks at page after page until one of ours is full. */
  async list(query: ListWorkersQuery): Promise<Page<WorkerView>> {
    const limit = query.limit ?? LIMITS.listPageDefault;
    const found: WorkerView[] = [];
    let after: WorkerId | null = fromCursor(query.cursor, isWorkerId);
    for (;;) {
      const rows: ShownWorkerRow[] = await this.database.query(WORKERS_PAGE, [after, LIMITS.listPageMax, query.q ?? null]);
      found.push(...rows.map(toWorkerView).filter((view) => query.status?.includes(view.status) ?? true));
      after = rows.at(-1)?.id ?? null;
      if (found.length > limit || rows.length < LIMITS.listPageMax) break;
    }
    const last = found[limit - 1];
    return { data: found.slice(0, limit), nextCursor: found.length > limit && last !== undefined ? toCursor(last.id) : null };
  }

  async stats(): Promise<WorkerStatsView> {
    return countWorkers(await this.database.query<WorkerStandingRow>(WORKERS_STANDING));
  }

  async get(id: string): Promise<WorkerView> {
    const [row] = await this.database.query<ShownWorkerRow>(WORKER_BY_ID, [id]);
    if (row === undefined) throw unknownWorker(id);
    return toWorkerView(row);
  }
}
