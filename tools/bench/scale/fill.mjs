// Fills the scratch database of a stack with jobs as the product would have stored them: one real, accepted job is the pattern.
import pg from 'pg';

const OWNERS = 10;
const NEEDS_PER_OWNER = 5;
const PORTION = 20_000;

/** The piece in which each table keeps what was born as long ago as filled ids say. */
const CUT = [
  ['event', 'job_0', 'job_01'],
  ['log_chunk', 'att_0', 'att_01'],
  ['metric_point', 'att_0', 'att_01'],
];

/** Ids of filled rows: valid, in order, older than every id that is made now. */
const ID = (prefix, kind) => `'${prefix}_00000000' || '${kind}' || lpad(n::text, 17, '0')`;

const LANES = `
  insert into lane (owner, needs_hash, needs)
  select 'owner-' || o, 'bench-' || k,
    jsonb_build_object('needs', jsonb_build_object('labels', jsonb_build_object('pool', 'pool-' || k)), 'runKind', 'command')
  from generate_series(0, $1::int - 1) o, generate_series(0, $2::int - 1) k
  on conflict do nothing
`;

/** Queued jobs $2..$3 after the pattern $1, spread over owners and lanes. */
const QUEUED = queuedAs('1');
/** The same, born later: what takes the place of jobs that were drained. */
const QUEUED_AGAIN = queuedAs('2');

function queuedAs(kind) {
  return `
  with pattern as (select * from job where id = $1)
  insert into job (id, owner, name, spec, labels, lane_id, status, reason, priority, created_at)
  select ${ID('job', kind)}, lane.owner, 'train-' || n,
    pattern.spec || jsonb_build_object('name', 'train-' || n, 'needs', lane.needs -> 'needs'),
    jsonb_build_object('experiment', (n % 1000)::text, 'team', lane.owner), lane.id, 'queued', 'waiting', (n % 3)::int, now() - interval '1 hour'
  from pattern, generate_series($2::bigint, $3::bigint) n
  join lane on lane.owner = 'owner-' || (n % ${OWNERS}) and lane.needs_hash = 'bench-' || (n / ${OWNERS} % ${NEEDS_PER_OWNER})
`;
}

/** Finished jobs with their attempt, log stream and events. */
const FINISHED = `
  with pattern as (select * from job where id = $1), rows as materialized (
    select n, ${ID('job', '0')} as job_id, ${ID('att', '0')} as attempt_id, lane.owner, lane.id as lane_id, lane.needs
    from generate_series($2::bigint, $3::bigint) n
    join lane on lane.owner = 'owner-' || (n % ${OWNERS}) and lane.needs_hash = 'bench-' || (n / ${OWNERS} % ${NEEDS_PER_OWNER})
  ), jobs as (
    insert into job (id, owner, name, spec, labels, lane_id, status, reason, priority, epoch, attempt_count, created_at, started_at, finished_at, exit)
    select job_id, owner, 'train-' || n, spec || jsonb_build_object('name', 'train-' || n, 'needs', needs -> 'needs'),
      jsonb_build_object('experiment', (n % 1000)::text, 'team', owner), lane_id,
      case when n % 20 = 0 then 'failed' else 'completed' end, case when n % 20 = 0 then 'exitCode' else 'completed' end,
      (n % 3)::int, 1, 1, now() - interval '1 day', now() - interval '1 day', now() - interval '23 hours', '{"code": 0, "signal": null}'
    from (select rows.*, pattern.spec from rows, pattern) as filled
  ), attempts as (
    insert into attempt (id, job_id, worker_id, number, epoch, state, outcome, exit, started_at, ended_at, containment, log_id)
    select attempt_id, job_id, $4, 1, 1, 'ended', 'succeeded', '{"code": 0, "signal": null}', now() - interval '1 day', now() - interval '23 hours', 'cgroup', attempt_id
    from rows
  ), streams as (
    insert into log_stream (log_id, stream, stored_length, line_count, final_length) select attempt_id, 'output', 100, 2, 100 from rows
  )
  insert into event (id, type, at, actor, job_id, attempt_id, worker_id)
  select 'evt_00000000' || step || lpad(n::text, 17, '0'), type, now() - interval '1 day', owner, job_id, attempt_id, $4
  from rows, (values (1, 'job.queued'), (2, 'job.assigned'), (3, 'job.running'), (4, 'job.completed')) as steps (step, type)
`;

/** Their counts, as the statements that make and move jobs add them. */
const TALLIED = `
  insert into job_tally (from_status, to_status, jobs)
  select from_status, status, jobs
  from (values (null, 'queued', $1::bigint * 2), ('queued', 'completed', $1 - $1 / 20), ('queued', 'failed', $1 / 20)) as moved (from_status, status, jobs)
`;

const WAITING = `
  select count(*)::int as jobs
  from job
  where status = 'queued'
    and lane_id = any(array(select id from lane where needs_hash = any(array(select 'bench-' || k from generate_series(0, $1::int - 1) k))))
`;

const TALLIED_QUEUED = `insert into job_tally (from_status, to_status, jobs) values (null, 'queued', $1)`;

const TABLES = ['job', 'attempt', 'event', 'log_stream', 'lane', 'job_tally'];

/** Two writers, for two cores; a statement takes a second or two. */
const WRITERS = 2;
/** From so many on indexes are made anew from all rows, which takes a third of the time of keeping them while rows come. */
const REINDEXED_FROM = 50_000;

/** Indexes that no constraint needs. */
const PLAIN_INDEXES = `
  select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
  from pg_index
  where indrelid = any('{job,attempt}'::regclass[])
    and not indisunique
    and not exists (select from pg_constraint where conindid = indexrelid)
`;
/** Only of these connections: nothing refers to what is not there, and nobody would mind losing it. */
const WRITER_SETTINGS = [
  'set session_replication_role = replica',
  'set synchronous_commit = off',
  `set maintenance_work_mem = '1GB'`,
  'set max_parallel_maintenance_workers = 2',
  'set statement_timeout = 0',
];

/**
 * Adds queued and finished jobs until there are so many of each, and brings indexes, statistics and visibility up to date as
 * autovacuum would. Afterwards the server is set as it was.
 *
 * @param {{ patternId: string, workerId: string, from: number, to: number, say?: (text: string) => void }} options
 */
export async function fill(databaseUrl, { patternId, workerId, from, to, say = () => undefined }) {
  const clients = await Promise.all(Array.from({ length: WRITERS }, () => writer(databaseUrl)));
  const [client] = clients;
  try {
    // Else a checkpoint every few seconds writes every page again and again.
    await client.query(`alter system set max_wal_size = '16GB'`);
    await client.query(`alter system set autovacuum = off`);
    await client.query('select pg_reload_conf()');
    await client.query(LANES, [OWNERS, NEEDS_PER_OWNER]);
    if (from === 0)
      for (const table of CUT) await client.query("select partition_add($1, $1 || '_' || '0000000000', $2, $3)", table);
    await withoutIndexes(clients, to - from >= REINDEXED_FROM, () =>
      addAll(clients, { patternId, workerId, from, to, say }),
    );
    say('their statistics');
    await inTurns(clients, TABLES, (one, table) => one.query(`vacuum (analyze) ${table}`));
    await client.query('checkpoint');
  } finally {
    for (const setting of ['max_wal_size', 'autovacuum'])
      await client.query(`alter system reset ${setting}`).catch(() => undefined);
    await client.query('select pg_reload_conf()').catch(() => undefined);
    await Promise.all(clients.map((one) => one.end()));
  }
}

/**
 * Adds queued jobs to all lanes, numbered from `first` on, until those of the first `pools` pools hold as many as they would of
 * `count`; answers how many it added.
 */
export async function topUp(databaseUrl, { patternId, first, count, pools }) {
  const client = await writer(databaseUrl);
  try {
    const share = pools / NEEDS_PER_OWNER;
    const { rows } = await client.query(WAITING, [pools]);
    const jobs = Math.max(0, Math.ceil((count * share - rows[0].jobs) / share));
    if (jobs === 0) return 0;
    await client.query(QUEUED_AGAIN, [patternId, first, first + jobs - 1]);
    await client.query(TALLIED_QUEUED, [jobs]);
    return jobs;
  } finally {
    await client.end();
  }
}

async function writer(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  for (const setting of WRITER_SETTINGS) await client.query(setting);
  return client;
}

async function addAll(clients, { patternId, workerId, from, to, say }) {
  const portions = [];
  for (let first = from + 1; first <= to; first += PORTION) portions.push([first, Math.min(to, first + PORTION - 1)]);
  let added = 0;
  await inTurns(clients, portions, async (client, [first, last]) => {
    await client.query(QUEUED, [patternId, first, last]);
    await client.query(FINISHED, [patternId, first, last, workerId]);
    await client.query(TALLIED, [last - first + 1]);
    added += last - first + 1;
    if (added % (5 * PORTION) === 0) say(`${(from + added).toLocaleString('en-US')} of each`);
  });
}

async function withoutIndexes(clients, isWorthIt, work) {
  if (!isWorthIt) return work();
  const [client] = clients;
  const { rows } = await client.query(PLAIN_INDEXES);
  for (const { name } of rows) await client.query(`drop index ${name}`);
  await work();
  await inTurns(clients, rows, (one, { definition }) => one.query(definition));
}

/** Each connection takes the next as soon as it is free. */
async function inTurns(clients, items, work) {
  const waiting = [...items];
  const one = async (client) => {
    while (waiting.length > 0) await work(client, waiting.shift());
  };
  await Promise.all(clients.map(one));
}

/** Ids of filled jobs. */
export const queuedId = (n) => `job_000000001${String(n).padStart(17, '0')}`;
export const finishedId = (n) => `job_000000000${String(n).padStart(17, '0')}`;
