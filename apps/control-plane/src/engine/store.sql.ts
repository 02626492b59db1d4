import { sql } from '../database/sql.js';

/**
 * Storing what a batch decided, all in one statement. Every update is guarded by the epoch and state its row was loaded
 * with; unless all guards held the statement fails, by a cast of what it counted to a number, and undoes its transaction
 * whatever was sent behind it. Whatever the code above believes, nothing leaves a final status, no attempt goes back on its
 * way from offer to end, and neither epoch nor session ever falls. Rows travel as one JSON parameter a table, moments as
 * milliseconds. A worker's counters only ever grow by what it reported; a proof is the length and digest that an agent
 * reported with an end, and what the stored bytes are held against.
 */

export const ROWS_STORE = sql`
  with workers as (
    update worker
    set session = new.session,
        instance_id = new.instance_id,
        slots = new.slots,
        slots_usable = new.slots_usable,
        slots_ordered = new.slots_ordered,
        slots_said = new.slots_said,
        gpus_held = new.gpus_held,
        is_paused = new.is_paused,
        maintenance = new.maintenance,
        removed_at = case when new.is_removed then coalesce(removed_at, to_timestamp($6::double precision / 1000.0)) else removed_at end,
        link = new.link,
        last_beat_at = to_timestamp(new.last_beat_ms / 1000.0),
        completed_count = completed_count + new.completed,
        failed_count = failed_count + new.failed,
        run_seconds_total = run_seconds_total + new.run_seconds
    from jsonb_to_recordset($1::jsonb) as new (
      id text, loaded_session integer, session integer, instance_id text, slots integer, slots_usable integer, slots_ordered integer,
      slots_said integer, gpus_held integer[], is_paused boolean, maintenance jsonb, is_removed boolean, link text,
      last_beat_ms double precision, completed integer, failed integer, run_seconds double precision
    )
    where worker.id = new.id
      and worker.session = new.loaded_session
      and worker.session <= new.session
    returning 1
  ), jobs as (
    update job
    set status = new.status,
        desired = new.desired,
        force = new.force,
        reason = new.reason,
        reason_detail = new.reason_detail,
        epoch = new.epoch,
        attempt_count = new.attempt_count,
        current_attempt_id = new.current_attempt_id,
        failures = new.failures,
        losses = new.losses,
        refusals = new.refusals,
        losses_while_running = new.losses_while_running,
        not_before = to_timestamp(new.not_before_ms / 1000.0),
        queue_until = to_timestamp(new.queue_until_ms / 1000.0),
        started_at = to_timestamp(new.started_ms / 1000.0),
        finished_at = to_timestamp(new.finished_ms / 1000.0),
        exit = new.exit
    from jsonb_to_recordset($2::jsonb) as new (
      id text, loaded_epoch integer, loaded_status text, status text, desired text, force boolean, reason text, reason_detail text,
      epoch integer, attempt_count integer, current_attempt_id text, failures integer, losses integer, refusals integer,
      losses_while_running integer, not_before_ms double precision, queue_until_ms double precision,
      started_ms double precision, finished_ms double precision, exit jsonb
    )
    where job.id = new.id
      and job.epoch = new.loaded_epoch
      and job.epoch <= new.epoch
      and job.status = new.loaded_status
      and job.status not in ('completed', 'failed', 'cancelled')
    returning new.loaded_status as from_status, new.status as to_status
  ), counted as (
    insert into job_tally (minute, from_status, to_status, jobs)
    select date_trunc('minute', now()), from_status, to_status, count(*)
    from jobs
    where from_status <> to_status
    group by from_status, to_status
  ), attempts as (
    update attempt
    set state = new.state,
        outcome = new.outcome,
        exit = new.exit,
        detail = new.detail,
        lease_until = to_timestamp(new.lease_until_ms / 1000.0),
        started_at = to_timestamp(new.started_ms / 1000.0),
        ended_at = to_timestamp(new.ended_ms / 1000.0),
        containment = new.containment,
        usage = new.usage,
        leftovers = new.leftovers,
        proofs = new.proofs,
        granted_session = new.granted_session
    from jsonb_to_recordset($3::jsonb) as new (
      id text, loaded_epoch integer, loaded_state text, state text, outcome text, exit jsonb, detail text,
      lease_until_ms double precision, started_ms double precision, ended_ms double precision, containment text, usage jsonb,
      leftovers integer, proofs jsonb, granted_session integer
    )
    where attempt.id = new.id
      and attempt.epoch = new.loaded_epoch
      and attempt.state = new.loaded_state
      and case new.state
        when 'offered' then attempt.state = 'offered'
        when 'running' then attempt.state in ('offered', 'running', 'paused')
        when 'paused' then attempt.state in ('offered', 'running', 'paused')
        when 'finalizing' then attempt.state <> 'ended'
        else true
      end
    returning 1
  ), events as (
    insert into event (id, type, at, actor, job_id, attempt_id, worker_id, data)
    select id, type, to_timestamp($6::double precision / 1000.0), actor, job_id, attempt_id, worker_id, data
    from jsonb_to_recordset($4::jsonb) as new (id text, type text, actor text, job_id text, attempt_id text, worker_id text, data jsonb)
  ), proofs as (
    insert into log_stream (log_id, stream, final_length, sha256)
    select log_id, stream, final_length, sha256
    from jsonb_to_recordset($5::jsonb) as new (log_id text, stream text, final_length bigint, sha256 text)
    order by log_id collate "C", stream collate "C"
    on conflict (log_id, stream) do update
    set final_length = excluded.final_length,
        sha256 = excluded.sha256
  ), moved as (
    select count(*) as stored, jsonb_array_length($1::jsonb) as given, 'worker' as name from workers
    union all
    select count(*), jsonb_array_length($2::jsonb), 'job' from jobs
    union all
    select count(*), jsonb_array_length($3::jsonb), 'attempt' from attempts
  )
  select cast('guard: ' || string_agg(format('%s of %s rows of %s', stored, given, name), ', ') as integer) as failed
  from moved
  where stored <> given
`;

/**
 * Whole rows: what one command of a batch made another may have ended. The unique index on live attempts refuses a second
 * one of the same job, and the guard an offer to a worker that takes none, whatever the code above them believes.
 */
export const ATTEMPTS_ADD = sql`
  insert into attempt (id, job_id, worker_id, number, epoch, state, outcome, exit, detail, gpus, lease_until, offered_at, started_at,
    ended_at, containment, usage, leftovers, log_id, proofs, granted_session)
  select id, job_id,
    case
      when state <> 'offered' or exists (select from worker where worker.id = new.worker_id and worker.takes_offers) then worker_id
      else cast('guard: 0 of 1 rows of worker for ' || new.id as integer)::text
    end,
    number, epoch, state, outcome, exit, detail, array(select jsonb_array_elements_text(gpus)::integer),
    to_timestamp(lease_until_ms / 1000.0), to_timestamp(offered_ms / 1000.0), to_timestamp(started_ms / 1000.0),
    to_timestamp(ended_ms / 1000.0), containment, usage, leftovers, log_id, proofs, granted_session
  from jsonb_to_recordset($1::jsonb) as new (
    id text, job_id text, worker_id text, number integer, epoch integer, state text, outcome text, exit jsonb, detail text, gpus jsonb,
    lease_until_ms double precision, offered_ms double precision, started_ms double precision, ended_ms double precision,
    containment text, usage jsonb, leftovers integer, log_id text, proofs jsonb, granted_session integer
  )
`;

export const RESULTS_STORE = sql`
  update job
  set result = new.value::json
  from unnest($1::text[], $2::text[]) as new (id, value)
  where job.id = new.id
`;

export const EVENTS_ADD = sql`
  insert into event (id, type, at, actor, job_id, attempt_id, worker_id, data)
  select id, type, to_timestamp($2::double precision / 1000.0), actor, job_id, attempt_id, worker_id, data
  from jsonb_to_recordset($1::jsonb) as new (id text, type text, actor text, job_id text, attempt_id text, worker_id text, data jsonb)
`;

/**
 * Appends one chunk of system lines to each log: the stream's row is made or moved, and locked until the commit; each line
 * stands at the length that the program's own output had when it was written.
 */
export const SYSTEM_LINES_ADD = sql`
  with new as materialized (
    select log_id, text, lines, octet_length(convert_to(text, 'UTF8')) as length
    from unnest($1::text[], $2::text[], $3::integer[]) as given (log_id, text, lines)
  ), moved as (
    insert into log_stream (log_id, stream, stored_length, line_count)
    select log_id, 'system', length, lines
    from new
    order by log_id collate "C"
    on conflict (log_id, stream) do update
    set stored_length = log_stream.stored_length + excluded.stored_length,
        line_count = log_stream.line_count + excluded.line_count
    returning log_id, stored_length, line_count
  )
  insert into log_chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, belongs_at, read_at, bytes)
  select new.log_id, 'system', moved.stored_length - new.length, new.length, moved.line_count - new.lines, new.lines, 'identity',
    coalesce(output.stored_length, 0), to_timestamp($4::double precision / 1000.0), convert_to(new.text, 'UTF8')
  from new
  join moved on moved.log_id = new.log_id
  left join log_stream output on output.log_id = new.log_id and output.stream = 'output'
`;
