import pg from 'pg';
import { groupBy } from '../group-by.js';

/** What the database says at the end; times are milliseconds of its wall clock. */
export interface JobRecord {
  readonly id: string;
  readonly status: string;
  readonly reason: string;
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  readonly result: unknown;
}

export interface AttemptRecord {
  readonly id: string;
  readonly jobId: string;
  readonly worker: string;
  readonly number: number;
  readonly epoch: number;
  readonly state: string;
  readonly outcome: string | null;
  readonly exit: { readonly code: number | null; readonly signal: string | null; readonly likely?: boolean } | null;
  readonly detail: string | null;
  readonly logId: string;
  readonly offeredAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
}

export interface EventRecord {
  readonly type: string;
  readonly jobId: string | null;
  readonly attemptId: string | null;
  readonly atMs: number;
  readonly data: unknown;
}

export interface WorkerRecord {
  readonly name: string;
  readonly slots: number;
  readonly slotsUsable: number;
  readonly link: string;
  /** How its jobs are contained unless they ask for more. */
  readonly containment: string;
}

/** Everything at rest, read in one go. */
export class Records {
  private constructor(
    readonly jobs: ReadonlyMap<string, JobRecord>,
    readonly attempts: ReadonlyMap<string | null, readonly AttemptRecord[]>,
    readonly events: ReadonlyMap<string | null, readonly EventRecord[]>,
    readonly workers: readonly WorkerRecord[],
  ) {}

  /** @param rows attempts of a job by epoch, events in their order */
  static of(rows: {
    readonly jobs: readonly JobRecord[];
    readonly attempts: readonly AttemptRecord[];
    readonly events: readonly EventRecord[];
    readonly workers: readonly WorkerRecord[];
  }): Records {
    const jobs = new Map(rows.jobs.map((job) => [job.id, job]));
    return new Records(jobs, groupByJob(rows.attempts), groupByJob(rows.events), rows.workers);
  }

  static async read(url: string): Promise<Records> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const jobs = await rows<JobRecord>(client, 'select id, status, reason, exit, result from job');
      const attempts = await rows<AttemptRecord>(client, ATTEMPTS);
      const events = await rows<EventRecord>(client, EVENTS);
      const workers = await rows<WorkerRecord>(client, WORKERS);
      return Records.of({ jobs, attempts, events, workers });
    } finally {
      await client.end();
    }
  }

  attemptsOf(jobId: string): readonly AttemptRecord[] {
    return this.attempts.get(jobId) ?? [];
  }

  eventsOf(jobId: string): readonly EventRecord[] {
    return this.events.get(jobId) ?? [];
  }
}

const ATTEMPTS = `select a.id, a.job_id as "jobId", w.name as worker, a.number, a.epoch, a.state, a.outcome, a.exit, a.detail,
  a.log_id as "logId", extract(epoch from a.offered_at)::float8 * 1000 as "offeredAtMs",
  extract(epoch from a.started_at)::float8 * 1000 as "startedAtMs", extract(epoch from a.ended_at)::float8 * 1000 as "endedAtMs"
  from attempt a join worker w on w.id = a.worker_id order by a.job_id, a.epoch`;
const EVENTS = `select type, job_id as "jobId", attempt_id as "attemptId", extract(epoch from at)::float8 * 1000 as "atMs", data
  from event order by seq`;
const WORKERS = `select name, slots, slots_usable as "slotsUsable", link, inventory->'containment'->>'default' as containment
  from worker`;

async function rows<Row>(client: pg.Client, statement: string): Promise<Row[]> {
  return (await client.query(statement)).rows as Row[];
}

const groupByJob = <Row extends { readonly jobId: string | null }>(
  all: readonly Row[],
): ReadonlyMap<string | null, readonly Row[]> => groupBy(all, ({ jobId }) => jobId);
