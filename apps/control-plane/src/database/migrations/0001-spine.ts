import { createHash } from 'node:crypto';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADAPTERS } from './0001-adapters.js';
import { FLEET } from './0001-fleet.js';
import { PARTITIONS } from './0001-partitions.js';

/**
 * The tables of the spine. The check constraints say what is true at every moment, so that no code path, and no hand
 * with a SQL prompt, can store a job that contradicts itself.
 */
export class Spine0001 implements MigrationInterface {
  // TypeORM orders migrations by the thirteen digits at the end.
  name = 'Spine1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SCHEMA);
    await runner.query(ADAPTERS);
    await runner.query(PARTITIONS);
    await runner.query(FLEET);
    await runner.query(`comment on table migration is '${SPINE_DIGEST}'`);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

const SCHEMA = `
create table api_key (
  id text primary key,
  name text not null,
  role text not null check (role in ('admin', 'operator', 'submitter', 'viewer', 'worker', 'site')),
  owner text not null,
  -- SHA-256 of the random part: 256 random bits need no slow hash, and a slow one would be a lever for denial of service.
  secret_hash bytea not null,
  prefix text not null,
  -- Which secret of this key that is: 1, and one more with each rotation.
  secret_number integer not null default 1 check (secret_number > 0),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  rotated_at timestamptz,
  last_used_at timestamptz
);

-- Secrets that a rotation replaced. Each works until its overlap ends.
create table key_secret_before (
  key_id text not null references api_key (id),
  number integer not null,
  secret_hash bytea not null,
  ends_at timestamptz not null,
  primary key (key_id, number)
);

-- What one machine may exchange, once, for a worker key of its own.
create table enrolment_token (
  id text primary key,
  name text not null,
  owner text not null,
  secret_hash bytea not null,
  prefix text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  used_at timestamptz,
  key_id text references api_key (id),
  -- SHA-256 of the text by which the machine that took it may ask again for the same key.
  exchange_hash bytea,
  constraint enrolment_used_iff_key check ((used_at is null) = (key_id is null) and (key_id is null) = (exchange_hash is null))
);

-- One row per running replica: when none was alive, leases are extended by the downtime.
create table replica (
  id text primary key,
  started_at timestamptz not null default now(),
  alive_at timestamptz not null default now()
);

create table worker (
  id text primary key,
  machine_id text not null,
  key_id text not null references api_key (id),
  owner text not null,
  name text not null,
  session integer not null default 0,
  instance_id text,
  boot_id text,
  agent_version text not null default '',
  capability text not null check (capability in ('cpu', 'gpu', 'hybrid')),
  content_types text[] not null default '{}',
  labels jsonb not null default '{}',
  inventory jsonb not null default '{}',
  slots integer not null check (slots >= 0),
  -- What the agent can use of them: less those it holds back.
  slots_usable integer not null default 0,
  -- Indexes of GPUs that a process without a lease holds: not proven dead, or on its way out. Nobody is offered them.
  gpus_held integer[] not null default '{}',
  is_paused boolean not null default false,
  -- Its key was revoked: nothing an agent of it says counts until one comes with a key that works.
  is_fenced boolean not null default false,
  link text not null default 'unreachable' check (link in ('connected', 'suspect', 'unreachable')),
  -- What people ordered: no new offers (cordon), or that it becomes empty (drain), with why, who and since when; null: nothing.
  maintenance jsonb,
  -- Slots that people gave it, null: as many as its agent says; and how many that were at its last hello.
  slots_ordered integer check (slots_ordered > 0),
  slots_said integer,
  -- What people set that stands above the words of its agent (name, labels, contentTypes, capability), and the agent's own words.
  overrides jsonb not null default '{}',
  said jsonb,
  -- The replica that holds its socket; null when none does.
  replica_id text,
  sample jsonb,
  -- Where its agent's connection came from, and how long this connection takes there and back.
  address text,
  latency_ms double precision,
  registered_at timestamptz not null default now(),
  last_beat_at timestamptz,
  removed_at timestamptz,
  -- Whether it may be offered anything, capacity aside: what the domain's takesOffers says, for every statement that asks.
  takes_offers boolean not null generated always as (
    removed_at is null and not is_fenced and not is_paused and link = 'connected' and maintenance is null
  ) stored,
  completed_count bigint not null default 0,
  failed_count bigint not null default 0,
  run_seconds_total double precision not null default 0
) with (fillfactor = 70);
create unique index worker_machine_unique on worker (key_id, machine_id) where removed_at is null;
create index worker_beat on worker (last_beat_at) where link <> 'unreachable';
-- Serves the sweep of drains.
create index worker_in_maintenance on worker (id) where maintenance is not null and removed_at is null;

-- A lane is one submitter's jobs with the same needs: the claim looks at the head of each lane, however long they are.
create table lane (
  id bigint generated always as identity primary key,
  owner text not null,
  needs_hash text not null,
  -- What matching compares: needs, run kind.
  needs jsonb not null,
  unique (owner, needs_hash)
);

create table job (
  id text primary key,
  owner text not null,
  name text not null,
  spec jsonb not null,
  labels jsonb not null default '{}',
  lane_id bigint not null references lane (id),
  status text not null check (status in ('queued', 'assigned', 'running', 'paused', 'completed', 'failed', 'cancelled')),
  desired text not null default 'run' check (desired in ('run', 'pause', 'cancel')),
  force boolean not null default false,
  reason text not null,
  reason_detail text,
  priority integer not null check (priority between -100 and 100),
  epoch integer not null default 0,
  attempt_count integer not null default 0,
  current_attempt_id text,
  failures integer not null default 0,
  losses integer not null default 0,
  refusals integer not null default 0,
  losses_while_running integer not null default 0,
  not_before timestamptz,
  queue_until timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  exit jsonb,
  -- json, not jsonb: a result may hold the escape \\u0000, which jsonb refuses.
  result json,
  progress_fraction double precision,
  progress_message text,
  progress_at timestamptz,
  constraint job_finished_iff_final check ((finished_at is not null) = (status in ('completed', 'failed', 'cancelled'))),
  constraint job_held_iff_active check ((current_attempt_id is not null) = (status in ('assigned', 'running')) or status = 'paused')
) with (fillfactor = 80);
-- Serves the claim: the head of each lane. Jobs that wait out a backoff are not in it.
create index job_lane_head on job (lane_id, priority desc, id) where status = 'queued' and not_before is null;
-- Serves the sweep of queue limits.
create index job_queue_until on job (queue_until) where status = 'queued' and queue_until is not null;
-- Serves the dispatcher, which puts jobs back in line when their backoff is over.
create index job_not_before on job (not_before) where status = 'queued' and not_before is not null;
-- Serves the count of those that go before a waiting job. The sign keeps the claim from taking it for an order of its own:
-- the head of a lane is to be found in job_lane_head, whatever a plan made for an empty table thinks.
create index job_ahead on job ((-priority), id) where status = 'queued' and not_before is null;
-- Serve lists, one ordered scan for each status.
create index job_status_id on job (status, id desc);
create index job_owner_status_id on job (owner, status, id desc);
-- Jobs without labels are not in it: each of their changes would write to it, and nobody looks for them by it.
create index job_labels on job using gin (labels jsonb_path_ops) where labels <> '{}';

-- How many jobs went from one status to another in a minute. Every transaction that moves jobs adds a line of its own, so
-- that none waits for another's; sums of them are the counts of jobs, and are folded into few lines now and then.
create table job_tally (
  -- Null for moves that are older than any window that is asked for.
  minute timestamptz,
  -- Null for a job that came, and, as the other, for one that was removed.
  from_status text,
  to_status text,
  jobs bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create table attempt (
  id text primary key,
  job_id text not null references job (id),
  worker_id text not null references worker (id),
  number integer not null,
  epoch integer not null,
  state text not null check (state in ('offered', 'running', 'paused', 'finalizing', 'ended')),
  outcome text,
  exit jsonb,
  detail text,
  gpus integer[] not null default '{}',
  lease_until timestamptz,
  offered_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  containment text,
  usage jsonb,
  leftovers integer not null default 0,
  log_id text not null,
  proofs jsonb not null default '{}',
  -- Which start of the worker's agent was granted it, or has shown its living process since.
  granted_session integer,
  -- What indexes are restricted by, and not by the state: a start and a renewal change nothing that an index reads, so they
  -- stay on their page and write to none (HOT).
  is_live boolean not null generated always as (state <> 'ended') stored,
  constraint attempt_ended_has_outcome check ((state = 'ended') = (outcome is not null)),
  constraint attempt_ended_has_time check ((state = 'ended') = (ended_at is not null)),
  constraint attempt_ended_has_no_lease check (state <> 'ended' or lease_until is null),
  unique (job_id, epoch),
  unique (job_id, number)
) with (fillfactor = 70);
-- The guarantee itself: at most one live attempt per job.
create unique index attempt_one_live_per_job on attempt (job_id) where is_live;
-- Serves the sweep of leases too, which reads all live ones: an index of their ends would be written to by each renewal.
create index attempt_live_of_worker on attempt (worker_id) where is_live;
-- Serves the list of a worker's jobs.
create index attempt_of_worker on attempt (worker_id, job_id desc);

-- What opens the calls of one attempt, whoever claimed it over REST; it goes with the attempt.
create table job_token (
  attempt_id text primary key references attempt (id) on delete cascade,
  -- SHA-256 of the random part.
  secret_hash bytea not null,
  created_at timestamptz not null default now()
);

-- Partitioned by the birth of its job. That leaves no key over all of it: seq is unique because nothing else ever gives it.
create table event (
  seq bigint generated always as identity,
  id text not null,
  type text not null,
  at timestamptz not null default now(),
  actor text not null,
  job_id text,
  attempt_id text,
  worker_id text,
  data jsonb not null default '{}'
) partition by range (job_id);
create index event_of_job on event (job_id, seq) where job_id is not null;
create index event_of_worker on event (worker_id, seq) where worker_id is not null;
-- Serves the alert that is raised once per silence.
create index event_mass_silence on event (at) where type = 'alert.massSilence';

-- One row per stream of a log; a log belongs to the attempt that began it, and to those that go on with its process.
create table log_stream (
  log_id text not null,
  stream text not null check (stream in ('output', 'stdout', 'stderr', 'system')),
  stored_length bigint not null default 0,
  line_count bigint not null default 0,
  final_length bigint,
  sha256 text,
  primary key (log_id, stream)
) with (fillfactor = 50);

create table log_chunk (
  log_id text not null,
  stream text not null,
  start_offset bigint not null,
  raw_length bigint not null check (raw_length > 0),
  -- Number of line ends before this chunk.
  first_line bigint not null,
  line_count integer not null,
  encoding text not null check (encoding in ('gzip', 'identity', 'gap')),
  -- For the system stream: the length of output at which the line belongs.
  belongs_at bigint,
  read_at timestamptz not null,
  bytes bytea not null,
  primary key (log_id, stream, start_offset)
) partition by range (log_id);
alter table log_chunk alter column bytes set storage external;

create table metric_stream (
  log_id text primary key,
  stored_length bigint not null default 0
);
create table metric_point (
  log_id text not null,
  seq bigint generated always as identity,
  step bigint,
  at timestamptz not null,
  -- Name to number; NaN and infinities travel as strings.
  "values" jsonb not null,
  primary key (log_id, seq)
) partition by range (log_id);

create table idempotency_key (
  owner text not null,
  key text not null,
  request_hash text not null,
  -- Stored with the jobs it names, in one transaction.
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (owner, key)
);
`;

/**
 * Names this text of the schema, comments and line breaks aside; stored with the schema it made. Until the first release
 * the text is edited in place, and a database made from another one would fail sooner or later.
 */
export const SPINE_DIGEST = createHash('sha256')
  .update(`${SCHEMA}${ADAPTERS}${PARTITIONS}${FLEET}`.replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' '))
  .digest('hex');
