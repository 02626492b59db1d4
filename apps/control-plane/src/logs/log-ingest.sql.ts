import { sql } from '../database/sql.js';

/** Locks the streams in the one order that every writer of streams keeps. */
export const LOG_STREAMS_LOCK = sql`
  select stream.log_id, stream.stream, stream.stored_length, stream.line_count
  from log_stream stream
  join unnest($1::text[], $2::text[]) as wanted (log_id, stream) using (log_id, stream)
  order by stream.log_id collate "C", stream.stream collate "C"
  for no key update of stream
`;

export const LOG_STREAMS_ADD = sql`
  insert into log_stream (log_id, stream)
  select log_id, stream
  from unnest($1::text[], $2::text[]) as wanted (log_id, stream)
  order by log_id collate "C", stream collate "C"
  on conflict do nothing
`;

/**
 * Chunks come as one binary parameter that holds all bytes, and where each chunk lies in it: an array of bytea would
 * travel as hexadecimal text, four times slower.
 */
export const LOG_CHUNKS_ADD = sql`
  insert into log_chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, belongs_at, read_at, bytes)
  select log_id, stream, start_offset, raw_length, first_line, line_count, encoding, belongs_at, read_at,
    substring($1::bytea from starts_at for size)
  from unnest(
    $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[], $8::text[], $9::bigint[], $10::timestamptz[],
    $11::integer[], $12::integer[]
  ) as chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, belongs_at, read_at, starts_at, size)
`;

/** Moves the ends of locked streams; the count of rows tells whether each was still where it had been. */
export const LOG_STREAMS_MOVE = sql`
  update log_stream stream
  set stored_length = moved.to_length,
      line_count = moved.to_lines
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
    as moved (log_id, stream, from_length, to_length, to_lines)
  where stream.log_id = moved.log_id
    and stream.stream = moved.stream
    and stream.stored_length = moved.from_length
`;
