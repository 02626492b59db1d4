import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { StatsView } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import { LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import { ONE_SNAPSHOT } from '../jobs/jobs.sql.js';
import { toStatsView, type StatsMoments, type TallyRow } from './job-stats.js';
import { STATS_MOMENTS, TALLIES, TALLIES_FOLD } from './stats.sql.js';

const FOLD_EVERY_MS = 15_000;
/** Lines that may lie there before they are folded: some twenty pages. */
const LINES_MAX = 2_000;

/** Counts of jobs that cost the same with a thousand and with a million of them. */
@Injectable()
export class StatsReader {
  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  async read(): Promise<StatsView> {
    return this.database.transaction(async (connection) => {
      await connection.execute(ONE_SNAPSHOT);
      const rows = await connection.query<TallyRow>(TALLIES);
      const [moments] = await connection.query<StatsMoments>(STATS_MOMENTS);
      if (moments === undefined) throw new Error('PostgreSQL did not say what time it is.');
      return toStatsView(rows, moments);
    });
  }

  /** Keeps the tallies few. A single statement: every replica may run it. Never rejects. */
  @Interval(FOLD_EVERY_MS)
  async fold(linesMax: number = LINES_MAX): Promise<void> {
    await this.database.execute(TALLIES_FOLD, [linesMax]).catch((error: unknown) => this.log.warn({ err: error }, 'tallies not folded'));
  }
}
