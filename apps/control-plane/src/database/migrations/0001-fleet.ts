/**
 * What is known of workers over time, and what a worker is at this moment.
 *
 * Samples are series: of a machine, of one of its GPUs, of an attempt that runs there. What was measured lies in one array, in
 * the order that `samples/measures.ts` gives it: a new measure is a new place at the end. Moments are milliseconds since
 * 1970 by the clock of this database, at which the sample was received: no worker's clock is asked. All three tables are cut
 * by them, and old pieces are dropped as a whole (`retention/`).
 */
export const FLEET = `
-- As they came.
create table sample_raw (
  worker_id text not null,
  -- machine, gpu:<index>, or the id of an attempt.
  subject text collate "C" not null,
  at_ms bigint not null,
  -- What was not known is null, never 0.
  measured double precision[] not null,
  primary key (worker_id, subject, at_ms)
) partition by range (at_ms);
-- Serves the roll-up, which asks for a minute of everybody.
create index sample_raw_at on sample_raw (at_ms);

-- Rolled up; at_ms is the beginning of the minute or hour. A measure that was never known there has a count of 0 and nulls.
create table sample_minute (
  worker_id text not null,
  subject text collate "C" not null,
  at_ms bigint not null,
  samples integer not null,
  counts integer[] not null,
  means double precision[] not null,
  lows double precision[] not null,
  highs double precision[] not null,
  primary key (worker_id, subject, at_ms)
) partition by range (at_ms);
create index sample_minute_at on sample_minute (at_ms);
create table sample_hour (like sample_minute including all) partition by range (at_ms);

create table sample_raw_default partition of sample_raw default;
create table sample_minute_default partition of sample_minute default;
create table sample_hour_default partition of sample_hour default;

-- How far each resolution is made from the one before it.
create table sample_rollup (
  resolution text primary key check (resolution in ('minute', 'hour')),
  rolled_to_ms bigint not null
);
insert into sample_rollup (resolution, rolled_to_ms)
select resolution, floor(extract(epoch from now()) / seconds)::bigint * seconds * 1000
from (values ('minute', 60), ('hour', 3600)) as made (resolution, seconds);

-- A worker with what it holds now: lists, counts and looks at one worker share it.
create view worker_now as
select worker.*,
  (
    select count(*)::integer
    from attempt
    where attempt.worker_id = worker.id
      and attempt.is_live
  ) as active_count,
  worker.maintenance is not null as is_in_maintenance,
  coalesce(jsonb_array_length(worker.sample -> 'faults'), 0) > 0 as has_faults,
  floor(extract(epoch from now() - worker.last_beat_at) * 1000)::double precision as silent_ms
from worker;
`;
