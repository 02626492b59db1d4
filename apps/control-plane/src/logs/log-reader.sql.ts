import { sql } from '../database/sql.js';

/** Every attempt of a job with the log it writes to; `$2`: only this number or id. */
export const LOG_TARGETS = sql`
  select attempt.id, attempt.job_id, attempt.worker_id, attempt.number, attempt.epoch, attempt.state, attempt.outcome, attempt.exit,
    attempt.detail, attempt.gpus, attempt.lease_until, attempt.offered_at, attempt.started_at, attempt.ended_at, attempt.containment,
    attempt.usage, attempt.leftovers, attempt.log_id, attempt.proofs, worker.name as worker_name
  from attempt
  join worker on worker.id = attempt.worker_id
  where attempt.job_id = $1
    and ($2::text is null or attempt.id = $2 or attempt.number::text = $2)
  order by attempt.number
`;

/** Bytes were removed where their count is kept and the first of them is not there: a log goes as a whole. */
export const LOG_STREAMS_READ = sql`
  select log_id, stream, stored_length, line_count,
    stored_length > 0 and not exists (
      select from log_chunk
      where log_chunk.log_id = log_stream.log_id
        and log_chunk.stream = log_stream.stream
        and log_chunk.start_offset = 0
    ) as is_removed
  from log_stream
  where log_id = any($1::text[])
`;

export const LOG_JOB = sql`
  select id, status, reason, reason_detail, exit, spec -> 'logs' ->> 'separate' = 'true' as is_separate
  from job
  where id = $1
`;

/**
 * From the chunk that holds byte $3 up to byte $4; at most $5 chunks, and no more of them than begin within $6 kept bytes, so that
 * a reader's memory is bounded.
 */
export const LOG_CHUNKS_READ = sql`
  select start_offset, raw_length, first_line, line_count, encoding, read_at, bytes
  from (
    select log_chunk.*,
      sum(case encoding when 'gap' then 0 else raw_length end) over (
        order by start_offset
        rows between unbounded preceding and 1 preceding
      ) as bytes_before
    from log_chunk
    where log_id = $1
      and stream = $2
      and start_offset >= coalesce(
        (
          select start_offset
          from log_chunk
          where log_id = $1
            and stream = $2
            and start_offset <= $3
          order by start_offset desc
          limit 1
        ),
        0
      )
      and start_offset < $4
    order by start_offset
    limit $5
  ) as chunk
  where coalesce(bytes_before, 0) < $6
  order by start_offset
`;

/** The chunk in which line end number $3 (counted from 1) stands. */
export const LOG_CHUNK_OF_LINE_END = sql`
  select start_offset, raw_length, first_line, line_count, encoding, read_at, bytes
  from log_chunk
  where log_id = $1
    and stream = $2
    and first_line < $3
    and first_line + line_count >= $3
  order by start_offset desc
  limit 1
`;

export const LOG_GAP_BYTES = sql`
  select coalesce(sum(raw_length), 0)::bigint as gap_bytes
  from log_chunk
  where log_id = $1
    and stream = $2
    and encoding = 'gap'
    and start_offset < $3
`;
