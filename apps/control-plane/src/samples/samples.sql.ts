import { sql } from '../database/sql.js';

/**
 * Makes minutes of the samples that came since the last time: at most $2 milliseconds of them, and none of the last $1,
 * because what was received then may not be committed yet. One replica does it, the others pass by; done again it makes
 * the same rows. What is older than $3, longer than anything is kept, is passed over.
 */
export const ROLL_UP_MINUTES = sql`
  with due as materialized (
    select greatest(rolled_to_ms, (clock.now_ms - $3::bigint) / 60000 * 60000) as from_ms,
      least((clock.now_ms - $1::bigint) / 60000 * 60000, greatest(rolled_to_ms, (clock.now_ms - $3) / 60000 * 60000) + $2::bigint) as to_ms
    from sample_rollup
    cross join (select floor(extract(epoch from now()) * 1000)::bigint as now_ms) as clock
    where resolution = 'minute'
    for update of sample_rollup skip locked
  ), cells as (
    select raw.worker_id, raw.subject, raw.at_ms / 60000 * 60000 as at_ms, cell.position, count(*)::integer as samples,
      count(cell.value)::integer as count, avg(cell.value) as mean, min(cell.value) as low, max(cell.value) as high
    from sample_raw raw
    cross join lateral unnest(raw.measured) with ordinality as cell (value, position)
    where raw.at_ms >= (select from_ms from due)
      and raw.at_ms < (select to_ms from due)
    group by 1, 2, 3, 4
  ), made as (
    insert into sample_minute (worker_id, subject, at_ms, samples, counts, means, lows, highs)
    select worker_id, subject, at_ms, max(samples), array_agg(count order by position), array_agg(mean order by position),
      array_agg(low order by position), array_agg(high order by position)
    from cells
    group by 1, 2, 3
    on conflict (worker_id, subject, at_ms) do update
    set samples = excluded.samples, counts = excluded.counts, means = excluded.means, lows = excluded.lows, highs = excluded.highs
  )
  update sample_rollup
  set rolled_to_ms = due.to_ms
  from due
  where sample_rollup.resolution = 'minute'
    and due.to_ms > sample_rollup.rolled_to_ms
  returning due.to_ms - due.from_ms = $2 as has_more
`;

/**
 * The same with hours of the minutes that are made: a mean counts as often as it had samples. $1 as $2, $2 as $3. Written out,
 * because a statement is one constant text: both are held to one table of numbers by `samples-over-time.spec.ts`.
 */
export const ROLL_UP_HOURS = sql`
  with due as materialized (
    select greatest(rolled_to_ms, (clock.now_ms - $2::bigint) / 3600000 * 3600000) as from_ms,
      least(
        (select rolled_to_ms from sample_rollup where resolution = 'minute') / 3600000 * 3600000,
        greatest(rolled_to_ms, (clock.now_ms - $2) / 3600000 * 3600000) + $1::bigint
      ) as to_ms
    from sample_rollup
    cross join (select floor(extract(epoch from now()) * 1000)::bigint as now_ms) as clock
    where resolution = 'hour'
    for update of sample_rollup skip locked
  ), cells as (
    select minute.worker_id, minute.subject, minute.at_ms / 3600000 * 3600000 as at_ms, cell.position, sum(minute.samples)::integer as samples,
      sum(cell.count)::integer as count, sum(cell.mean * cell.count) / nullif(sum(cell.count), 0) as mean, min(cell.low) as low, max(cell.high) as high
    from sample_minute minute
    cross join lateral unnest(minute.counts, minute.means, minute.lows, minute.highs) with ordinality as cell (count, mean, low, high, position)
    where minute.at_ms >= (select from_ms from due)
      and minute.at_ms < (select to_ms from due)
    group by 1, 2, 3, 4
  ), made as (
    insert into sample_hour (worker_id, subject, at_ms, samples, counts, means, lows, highs)
    select worker_id, subject, at_ms, max(samples), array_agg(count order by position), array_agg(mean order by position),
      array_agg(low order by position), array_agg(high order by position)
    from cells
    group by 1, 2, 3
    on conflict (worker_id, subject, at_ms) do update
    set samples = excluded.samples, counts = excluded.counts, means = excluded.means, lows = excluded.lows, highs = excluded.highs
  )
  update sample_rollup
  set rolled_to_ms = due.to_ms
  from due
  where sample_rollup.resolution = 'hour'
    and due.to_ms > sample_rollup.rolled_to_ms
  returning due.to_ms - due.from_ms = $1 as has_more
`;

/** Of samples that no partition was there for, those that are older than they are kept ($1 raw, $2 minutes, $3 hours, in milliseconds). */
export const SAMPLES_REMOVE = sql`
  with clock as (
    select floor(extract(epoch from now()) * 1000)::bigint as now_ms
  ), raw as (
    delete from sample_raw_default where at_ms < (select now_ms - $1::bigint from clock)
  ), minutes as (
    delete from sample_minute_default where at_ms < (select now_ms - $2::bigint from clock)
  )
  delete from sample_hour_default where at_ms < (select now_ms - $3::bigint from clock)
`;

/** Who is read about: null when there is no such worker. */
export const SAMPLES_MOMENT = sql`
  select floor(extract(epoch from now()) * 1000)::double precision as now_ms,
    exists (select from worker where id = $1) as is_known
`;

/** One attempt of a job ($1), by its number or its id ($2) or the newest: where it ran, and from when to when. */
export const SAMPLES_ATTEMPT = sql`
  select id, worker_id, floor(extract(epoch from coalesce(started_at, offered_at)) * 1000)::double precision as from_ms,
    ceil(extract(epoch from ended_at) * 1000)::double precision as to_ms
  from attempt
  where job_id = $1
    and ($2::text is null or id = $2 or number::text = $2)
  order by number desc
  limit 1
`;

/** Where an answer of $4 samples of $2 of worker $1 that were received from $3 to $5 ends; null when they are no more. */
export const SAMPLES_END = sql`
  select at_ms::double precision as end_ms
  from sample_raw
  where worker_id = $1
    and subject = $2
    and at_ms >= $3::bigint
    and at_ms < $5::bigint
  order by at_ms
  offset $4::integer
  limit 1
`;

/**
 * Buckets of $5 milliseconds of worker $1 from $3 to $4, of the subjects $2, or of the machine and its GPUs. Made of stored hours
 * ($6 = hour), of minutes where there are no hours yet, and of what came where there are no minutes yet.
 */
export const SAMPLES_READ = sql`
  with place as materialized (
    select
      case when $6::text = 'hour' then greatest($3::bigint, min(rolled_to_ms) filter (where resolution = 'hour')) else $3 end as hours_to,
      case when $6 = 'raw' then $3 else greatest($3, min(rolled_to_ms) filter (where resolution = 'minute')) end as minutes_to
    from sample_rollup
  ), cells as (
    select subject, at_ms, samples, cell.*
    from sample_hour
    cross join lateral unnest(counts, means, lows, highs) with ordinality as cell (count, mean, low, high, position)
    where worker_id = $1
      and (subject = any($2::text[]) or $2 is null and (subject = 'machine' or subject >= 'gpu:' and subject < 'gpu;'))
      and at_ms >= $3
      and at_ms < least($4::bigint, (select hours_to from place))
    union all
    select subject, at_ms, samples, cell.*
    from sample_minute
    cross join lateral unnest(counts, means, lows, highs) with ordinality as cell (count, mean, low, high, position)
    where worker_id = $1
      and (subject = any($2) or $2 is null and (subject = 'machine' or subject >= 'gpu:' and subject < 'gpu;'))
      and at_ms >= (select hours_to from place)
      and at_ms < least($4, (select minutes_to from place))
    union all
    select subject, at_ms, 1, (cell.value is not null)::integer, cell.value, cell.value, cell.value, cell.position
    from sample_raw
    cross join lateral unnest(measured) with ordinality as cell (value, position)
    where worker_id = $1
      and (subject = any($2) or $2 is null and (subject = 'machine' or subject >= 'gpu:' and subject < 'gpu;'))
      and at_ms >= (select minutes_to from place)
      and at_ms < $4
  ), buckets as (
    select subject, at_ms / $5::bigint * $5 as at_ms, position, sum(samples)::integer as samples, sum(count)::integer as count,
      sum(mean * count) / nullif(sum(count), 0) as mean, min(low) as low, max(high) as high
    from cells
    group by 1, 2, 3
  )
  select subject, at_ms::double precision as at_ms, max(samples) as samples, array_agg(count order by position) as counts,
    array_agg(mean order by position) as means, array_agg(low order by position) as lows, array_agg(high order by position) as highs
  from buckets
  group by 1, 2
  order by 1, 2
`;
