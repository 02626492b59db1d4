import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import { Database } from '../database/database.js';
import { formatJobToken, hashOf, parseKey } from './key-format.js';
import { JOB_TOKEN_ADD, JOB_TOKEN_TO_VERIFY } from './job-tokens.sql.js';
import { mistyped } from './key-verifier.js';

/**
 * What a job token speaks for. Whether the attempt still holds its job is not said here: status and result are fenced by the
 * epoch, and logs and metrics are taken for as long as logs are.
 */
export interface JobTerm {
  readonly attemptId: AttemptId;
  readonly epoch: number;
  /** Of the process: the attempts of one process share it. */
  readonly logId: AttemptId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  /** The worker's newest session when the token was looked at. */
  readonly session: number;
  /** Owner of the worker. */
  readonly owner: string;
}

export type JobTokenVerdict = { readonly term: JobTerm } | { readonly refused: true; readonly hint: string };

interface TokenRow {
  readonly secret_hash: Buffer;
  readonly attempt_id: AttemptId;
  readonly epoch: number;
  readonly log_id: AttemptId;
  readonly job_id: JobId;
  readonly worker_id: WorkerId;
  readonly session: number;
  readonly owner: string;
  readonly is_fenced: boolean;
  readonly is_removed: boolean;
}

const UNKNOWN = 'Send the token that came with the claim of this attempt; it goes with the attempt when that is removed.';
const FENCED = 'The worker that claimed this attempt may not speak any more: its key was revoked, or it was removed.';
const NOBODYS_HASH = hashOf('nobody');

/** Tokens that open the calls of one attempt, for whoever carries it out without being an agent of ours. Stored as hashes. */
@Injectable()
export class JobTokens {
  constructor(private readonly database: Database) {}

  /**
   * Makes the token of an attempt; the answer is the only place where it ever stands.
   *
   * @throws Error when the attempt has one already: nothing hands out a second one
   */
  async mint(attemptId: AttemptId): Promise<string> {
    const token = formatJobToken(attemptId, randomBytes(32));
    const parsed = parseKey(token);
    if (parsed.kind !== 'jobToken') throw new Error('A job token that was just made does not parse.');
    const added = await this.database.control.execute(JOB_TOKEN_ADD, [attemptId, parsed.secretHash]);
    if (added === 0) throw new Error(`The attempt ${attemptId} has a token already.`);
    return token;
  }

  /** @throws DatabaseUnavailable */
  async verify(text: string): Promise<JobTokenVerdict> {
    const parsed = parseKey(text);
    if (parsed.kind === 'typo') return { refused: true, hint: mistyped(parsed.prefix) };
    if (parsed.kind !== 'jobToken') return { refused: true, hint: UNKNOWN };
    const [row] = await this.database.query<TokenRow>(JOB_TOKEN_TO_VERIFY, [parsed.attemptId]);
    if (!timingSafeEqual(parsed.secretHash, row?.secret_hash ?? NOBODYS_HASH) || row === undefined) return { refused: true, hint: UNKNOWN };
    if (row.is_fenced || row.is_removed) return { refused: true, hint: FENCED };
    return {
      term: {
        attemptId: row.attempt_id,
        epoch: row.epoch,
        logId: row.log_id,
        jobId: row.job_id,
        workerId: row.worker_id,
        session: row.session,
        owner: row.owner,
      },
    };
  }
}
