import { Inject, Injectable } from '@nestjs/common';
import { ID_PREFIXES, isId } from '@muster/protocol';
import type { AttemptId, Exit, JobId, JobReason, JobStatus, LogStream, LogStreamState } from '@muster/protocol';
import { formatDuration } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import { toAttemptFacts } from '../engine/fact-rows.js';
import type { AttemptRow } from '../engine/fact-rows.js';
import { invalidRequest, notFound, Refusal, unknownJob } from '../http/refusal.js';
import type { StreamRef } from './log-chunks.js';
import { LOG_JOB, LOG_STREAMS_READ, LOG_TARGETS } from './log-reader.sql.js';
import { toLogState } from './log-state.js';
import type { StoredStream } from './log-state.js';

interface JobRow {
  readonly id: JobId;
  readonly status: JobStatus;
  readonly reason: JobReason;
  readonly reason_detail: string | null;
  readonly exit: Exit | null;
  readonly is_separate: boolean;
}
type TargetRow = AttemptRow & { readonly worker_name: string };
type StreamRow = StoredStream & { readonly log_id: AttemptId };

/** One stream of one attempt, and how far it has come. */
export interface LogTarget extends StreamRef {
  readonly attemptId: AttemptId;
  readonly attemptNumber: number;
  readonly log: LogStreamState;
}

/** One attempt as a follower sees it. */
export interface FollowedAttempt {
  readonly id: AttemptId;
  readonly number: number;
  readonly workerName: string;
  readonly logId: AttemptId;
  readonly isEnded: boolean;
  readonly streams: ReadonlyMap<LogStream, LogStreamState>;
}

export interface FollowedJob {
  readonly status: JobStatus;
  readonly reason: JobReason;
  readonly reasonDetail: string | null;
  readonly exit: Exit | null;
  readonly isSeparate: boolean;
  readonly attempts: readonly FollowedAttempt[];
}

const ATTEMPT_HINT = 'Give the number of an attempt (1 is the first) or its id; `GET /api/v1/jobs/{id}/attempts` lists them.';

/** Finds the log that is meant. */
@Injectable()
export class LogTargets {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /**
   * @param attempt number or id; the newest when not given
   * @throws Refusal logRemoved when it was kept long enough
   */
  async find(jobId: string, attempt: string | undefined, stream: LogStream): Promise<LogTarget> {
    const rows = await this.database.query<TargetRow>(LOG_TARGETS, [jobId, checkedAttempt(attempt)]);
    const row = rows.at(-1);
    if (row === undefined) throw await this.noAttempt(jobId, attempt);
    const streams = await this.database.query<StreamRow>(LOG_STREAMS_READ, [[row.log_id]]);
    const stored = streams.find((one) => one.stream === stream) ?? { stream, stored_length: 0, line_count: 0 };
    const log = toLogState(toAttemptFacts(row), stored);
    if (log.state === 'removed') throw this.removed(row, log);
    return { attemptId: row.id, attemptNumber: row.number, logId: row.log_id, stream, log };
  }

  /** Everything a follower looks at in one turn. */
  async followed(jobId: string, attempt: string | undefined): Promise<FollowedJob> {
    const [job] = await this.database.query<JobRow>(LOG_JOB, [jobId]);
    if (job === undefined) throw unknownJob(jobId);
    const rows = await this.database.query<TargetRow>(LOG_TARGETS, [jobId, checkedAttempt(attempt)]);
    if (attempt !== undefined && rows.length === 0) throw await this.noAttempt(jobId, attempt);
    const logIds = [...new Set(rows.map((row) => row.log_id))];
    const stored = logIds.length === 0 ? [] : await this.database.query<StreamRow>(LOG_STREAMS_READ, [logIds]);
    const { status, reason, reason_detail: reasonDetail, exit, is_separate: isSeparate } = job;
    return { status, reason, reasonDetail, exit, isSeparate, attempts: rows.map((row) => toFollowed(row, stored)) };
  }

  private removed(row: TargetRow, { storedLength, lineCount }: LogStreamState): Refusal {
    return new Refusal('logRemoved', {
      detail: `The log of attempt ${row.number} of ${row.job_id} (${storedLength} bytes, ${lineCount} lines) was removed: logs are kept for ${formatDuration(this.config.logRetentionMs)} after their job finished.`,
      hint: 'Download a log that must live longer in time; how long they are kept is the setting MUSTER_LOG_RETENTION of the control plane.',
    });
  }

  private async noAttempt(jobId: string, attempt: string | undefined): Promise<Refusal> {
    const [job] = await this.database.query<JobRow>(LOG_JOB, [jobId]);
    if (job === undefined) return unknownJob(jobId);
    if (attempt !== undefined) return notFound('attempt', attempt, ATTEMPT_HINT);
    return new Refusal('notFound', {
      detail: `The job is ${job.status} and no worker has begun it, so there is no log yet.`,
      hint: 'Ask with `follow=true` to wait for it.',
    });
  }
}

/** The number or the id of an attempt, if it is one; null when none was given. */
export function checkedAttempt(attempt: string | undefined): string | null {
  if (attempt === undefined) return null;
  if (/^[1-9]\d{0,8}$/.test(attempt) || isId(ID_PREFIXES.attempt, attempt)) return attempt;
  throw invalidRequest([{ pointer: '?attempt', detail: `Expected the number or the id of an attempt, got ${JSON.stringify(attempt)}.` }]);
}

function toFollowed(row: TargetRow, stored: readonly StreamRow[]): FollowedAttempt {
  const facts = toAttemptFacts(row);
  const own = stored.filter((one) => one.log_id === row.log_id);
  // A stream the end tells of but of which nothing arrived yet is also waited for.
  const told = Object.keys(row.proofs) as LogStream[];
  const missing = told.filter((stream) => !own.some((one) => one.stream === stream));
  const all: StoredStream[] = [...own, ...missing.map((stream) => ({ stream, stored_length: 0, line_count: 0 }))];
  return {
    id: row.id,
    number: row.number,
    workerName: row.worker_name,
    logId: row.log_id,
    isEnded: row.state === 'ended',
    streams: new Map(all.map((one) => [one.stream, toLogState(facts, one)])),
  };
}
