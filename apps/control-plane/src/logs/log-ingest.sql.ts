import { sql } from '../database/sql.js';

/**
 * Where streams stand that a sender ($2) may write to under an attempt ($1); rows are made for those that have none. One that
 * another transaction was making meanwhile comes without a length: ask again. What is not answered is not the sender's.
 * Nothing is locked while rows are made, and they are made in the one order that every writer of streams keeps.
 */
export const LOG_STREAMS_OPEN = sql`
  with owned as materialized (
    select wanted.attempt_id, wanted.worker_id, wanted.stream, attempt.log_id
    from unnest($1::text[], $2::text[], $3::text[]) as wanted (attempt_id, worker_id, stream)
    join attempt on attempt.id = wanted.attempt_id and attempt.worker_id = wanted.worker_id
    where attempt.ended_at is null
      or attempt.ended_at >= now() - $4::double precision * interval '1 ms'
  ),
  made as (
    insert into log_stream (log_id, stream)
    select log_id, stream
    from owned
    where not exists (select from log_stream existing where existing.log_id = owned.log_id and existing.stream = owned.stream)
    group by log_id, stream
    order by log_id collate "C", stream collate "C"
    on conflict do nothing
    returning log_id, stream, stored_length, line_count
  )
  select owned.attempt_id, owned.worker_id, owned.stream, owned.log_id,
    coalesce(existing.stored_length, made.stored_length) as stored_length,
    coalesce(existing.line_count, made.line_count) as line_count
  from owned
  left join log_stream existing on existing.log_id = owned.log_id and existing.stream = owned.stream
  left join made on made.log_id = owned.log_id and made.stream = owned.stream
`;

/**
 * Stores a batch of chunks and moves the ends of their streams, all or nothing: only if every attempt that wrote ($1 to $4)
 * is its sender's and still taken, and every stream ($5 to $9) ends where the batch was placed. The count of rows tells.
 * Streams are locked in the one order that every writer of streams keeps.
 *
 * Chunks come as one binary parameter that holds all bytes, and where each chunk lies in it: an array of bytea would
 * travel as hexadecimal text, four times slower.
 */
export const LOG_CHUNKS_APPEND = sql`
  with locked as materialized (
    select stream.log_id, stream.stream, wanted.to_length, wanted.to_lines
    from log_stream stream
    join unnest($5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[])
      as wanted (log_id, stream, from_length, to_length, to_lines) using (log_id, stream)
    where stream.stored_length = wanted.from_length
    order by stream.log_id collate "C", stream.stream collate "C"
    for no key update of stream
  ),
  ruled as materialized (
    select (select count(*) from locked) = cardinality($5::text[]) and (
      select count(*)
      from unnest($1::text[], $2::text[], $3::text[]) as spoken (attempt_id, worker_id, log_id)
      join attempt on attempt.id = spoken.attempt_id
      where attempt.worker_id = spoken.worker_id
        and attempt.log_id = spoken.log_id
        and (attempt.ended_at is null or attempt.ended_at >= now() - $4::double precision * interval '1 ms')
    ) = cardinality($1::text[]) as is_granted
  ),
  stored as (
    insert into log_chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, read_at, bytes)
    select log_id, stream, start_offset, raw_length, first_line, line_count, encoding, read_at, substring($10::bytea from starts_at for size)
    from ruled, unnest(
      $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[], $16::integer[], $17::text[], $18::timestamptz[],
      $19::integer[], $20::integer[]
    ) as chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, read_at, starts_at, size)
    where ruled.is_granted
  )
  update log_stream stream
  set stored_length = locked.to_length,
      line_count = locked.to_lines
  from locked, ruled
  where ruled.is_granted
    and stream.log_id = locked.log_id
    and stream.stream = locked.stream
`;
