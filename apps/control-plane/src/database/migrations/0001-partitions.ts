/**
 * Tables of bytes and happenings are cut into ranges of ids, and ids sort by the time they were made: whatever belongs to
 * one log, or to one job, lies in one piece, that of its birth. Old pieces are dropped as a whole once nothing in them is
 * owed to anybody (`retention/`). What belongs to no piece lies in the default one, so that a missing piece stops nobody.
 *
 * Neither function waits long for its lock: whoever needs the table meanwhile would stand behind it.
 */
export const PARTITIONS = `
create table log_chunk_default partition of log_chunk default;
create table metric_point_default partition of metric_point default;
-- Also the home of what happened to no job: to workers and keys.
create table event_default partition of event default;
-- Serves the removal of those, oldest first.
create index event_default_at on event_default (at) where job_id is null;

create function partition_add(parent text, name text, first_id text, end_id text) returns void language plpgsql as $$
begin
  perform set_config('lock_timeout', '500ms', true);
  -- Made apart and attached: that holds up no reader and no writer of the other pieces.
  execute format('create table %I (like %I including all excluding identity)', name, parent);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, name, first_id, end_id);
end $$;

-- Gone for readers from the commit on; its room is given back by partition_discard, which then holds up nobody.
create function partition_detach(parent text, name text) returns void language plpgsql as $$
begin
  perform set_config('lock_timeout', '500ms', true);
  execute format('alter table %I detach partition %I', parent, name);
end $$;

-- Refuses what is still part of a table.
create function partition_discard(name text) returns void language plpgsql as $$
begin
  if exists (select from pg_class where oid = to_regclass(quote_ident(name)) and relispartition) then
    raise exception 'partition % is in use', name;
  end if;
  execute format('drop table if exists %I', name);
end $$;
`;
