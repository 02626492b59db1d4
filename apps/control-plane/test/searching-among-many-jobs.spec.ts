import type { JobView, Page } from '@muster/protocol';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(180_000);

const COUNT = 2_600;
/** More than one request looks at, and less than two do. */
const VARY = sql`
  with numbered as (select id, row_number() over (order by id) as n from job)
  update job
  set name = case when n % 500 = 3 then 'the-Needle-' || n else 'hay-' || n end,
    labels = jsonb_build_object('team', 'all', 'half', (n % 2)::text) || case when n % 700 = 5 then '{"rare": "yes"}'::jsonb else '{}' end,
    status = case when n % 3 = 0 then 'cancelled' else 'queued' end,
    finished_at = case when n % 3 = 0 then now() end,
    created_at = now() - ($1::integer - n) * interval '20 seconds'
  from numbered
  where numbered.id = job.id
`;
const GIVE = sql`
  with key as (
    insert into api_key (id, name, prefix, role, secret_hash, owner) values ('key_1', 'k', 'p', 'worker', '', 'workers') returning id
  ), worker as (
    insert into worker (id, machine_id, key_id, owner, name, capability, slots)
    select 'wkr_01JDABCDEF0123456789ABCDEF', 'm', key.id, 'workers', 'w', 'cpu', 1 from key returning id
  )
  insert into attempt (id, job_id, worker_id, number, epoch, state, outcome, ended_at, log_id)
  select 'att_' || substr(job.id, 5), job.id, worker.id, 1, 1, 'ended', 'lost', now(), 'att_' || substr(job.id, 5) from job, worker
`;
const ALL = sql`select id, name, status, labels, created_at from job order by id desc`;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly created_at: Date;
}

describe('a search among many jobs', () => {
  let harness: Harness;
  let viewer: Rest;
  let rows: readonly Row[];
  beforeAll(async () => {
    harness = await startHarness();
    viewer = await restAs(harness, 'viewer');
    await harness.submitMany(COUNT, { needs: { gpus: 60 } });
    await harness.database.execute(VARY, [COUNT]);
    await harness.database.execute(GIVE);
    rows = await harness.database.query<Row>(ALL);
  });
  afterAll(() => harness?.stop());

  const page = async (query: string): Promise<Page<JobView>> => {
    const { status, body, text } = await viewer.get<Page<JobView>>(`/jobs${query}`);
    if (status !== 200) throw new Error(text);
    return body;
  };
  /** Every page of a list, and how many there were. */
  const all = async (query: string): Promise<{ ids: string[]; pages: number }> => {
    const ids: string[] = [];
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages++) {
      const { data, nextCursor }: Page<JobView> = await page(`${query}${cursor && `&cursor=${cursor}`}`);
      ids.push(...data.map((job) => job.id));
      cursor = nextCursor;
    }
    return { ids, pages };
  };

  it('for a text that nobody has looks at a part of them, answers an empty page, and goes on where it stopped', async () => {
    const first = await page('?q=nobody-has-this');
    expect(first.data).toEqual([]);
    expect(first.nextCursor).not.toBeNull();
    const last = await page(`?q=nobody-has-this&cursor=${first.nextCursor}`);
    expect(last).toEqual({ data: [], nextCursor: null });
  });

  it('for a label that few old ones have finds them in the first answer', async () => {
    const { data, nextCursor } = await page('?label=rare:yes');
    expect(data.map((job) => job.id)).toEqual(rows.filter((row) => row.labels.rare === 'yes').map((row) => row.id));
    expect(data).toHaveLength(4);
    expect(nextCursor).toBeNull();
    expect((await page('?label=rare:yes,team:all&limit=1')).nextCursor).not.toBeNull();
  });

  const worker = 'worker=wkr_01JDABCDEF0123456789ABCDEF';
  /** Than so many jobs before the newest, which are 20 seconds apart. */
  const younger = (ago: number) => (row: Row): boolean => row.created_at.getTime() > Date.now() - ago * 20_000;
  const needle = (row: Row): boolean => row.name.includes('Needle');
  /** `{100.5}` stands for the moment before which all but 100 of the newest were created. */
  const withMoments = (query: string): string => query.replace(/\{([\d.]+)\}/, (_, ago: string) => new Date(Date.now() - Number(ago) * 20_000).toISOString());
  const searches: readonly (readonly [string, (row: Row) => boolean])[] = [
    ['?q=needle&limit=2', needle],
    ['?q=NEEDLE&status=cancelled&limit=1', (row) => needle(row) && row.status === 'cancelled'],
    [`?q=needle&${worker}&limit=2`, needle],
    [`?status=cancelled&${worker}&limit=200`, (row) => row.status === 'cancelled'],
    ['?label=half:1&limit=200', (row) => row.labels.half === '1'],
    ['?label=half:1&q=needle&limit=3', (row) => row.labels.half === '1' && needle(row)],
    ['?label=rare:yes&q=needle', () => false],
    [`?label=rare:yes&${worker}&limit=3`, (row) => row.labels.rare === 'yes'],
    ['?label=team:all&status=queued&limit=200', (row) => row.status === 'queued'],
    ['?createdAfter={100.5}&limit=200', younger(100.5)],
    ['?createdBefore={2400.5}&limit=200', (row) => !younger(2_400.5)(row)],
    ['?createdBefore={2400.5}&q=needle&limit=1', (row) => !younger(2_400.5)(row) && needle(row)],
  ];
  it.each(searches)('finds each job that fits once, newest first, page by page: %s', async (query, fits) => {
    const wanted = rows.filter(fits).map((row) => row.id);
    const { ids, pages } = await all(withMoments(query));
    expect(ids).toEqual(wanted);
    // As many as it takes to fill them, and to look at all jobs twice.
    expect(pages).toBeLessThanOrEqual(Math.ceil(wanted.length / Number(/limit=(\d+)/.exec(query)?.[1] ?? 50)) + 3);
  });
});
