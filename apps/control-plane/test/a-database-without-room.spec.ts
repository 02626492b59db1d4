import type { JobView, Problem } from '@muster/protocol';
import { createLogger } from '@muster/runtime';
import { ConnectionPool } from '../src/database/connection-pool.js';
import { sql, Statement } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs } from './rest.js';

jest.setTimeout(120_000);

/** What PostgreSQL answers to whatever needs a new page where there is none. */
const FILL = sql`
  create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file "base/1/2": No space left on device' using errcode = '53100'; end
  $$
`;
const REFUSED = ['job', 'attempt'].map((table) => [
  new Statement(`create trigger refused before insert or update on ${table} for each row execute function refuse()`),
  new Statement(`drop trigger refused on ${table}`),
] as const);
const INSERT = sql`insert into lane (owner, needs_hash, needs) select 'ada', 'hash', jsonb_build_object('full', refuse_now())`;
const FILL_NOW = sql`
  create function refuse_now() returns text language plpgsql as $$ begin raise exception 'no room' using errcode = '53100'; end $$
`;
const TRUE = { run: { command: ['/bin/true'] } };

describe('a database that has no room left', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await startHarness();
  });
  afterEach(() => harness?.stop());

  it('takes no job and no start, says so, and takes both when there is room', async () => {
    const ada = await restAs(harness, 'submitter');
    const agent = await harness.agent({ slots: 1 });
    const { body: first } = await ada.post<JobView>('/jobs', TRUE);
    const offer = await agent.nextOffer();
    await harness.database.execute(FILL);
    for (const [full] of REFUSED) await harness.database.execute(full);

    const answer = await ada.post<Problem>('/jobs', TRUE, { 'Idempotency-Key': 'again' });
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable', detail: 'The database has no disk space or memory left.' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await expect(agent.start(offer)).rejects.toMatchObject({ code: 'unavailable' });
    expect((await ada.get<JobView>(`/jobs/${first.id}`)).body).toMatchObject({ status: 'assigned' });

    for (const [, room] of REFUSED) await harness.database.execute(room);
    const { body: job } = await ada.post<JobView>('/jobs', TRUE, { 'Idempotency-Key': 'again' });
    expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
    await agent.end(offer);
    expect(await agent.nextOffer()).toMatchObject({ jobId: job.id });
  });

  it('is told of once in a while, however often somebody tries', async () => {
    const lines: string[] = [];
    const told = createLogger({ name: 'test', level: 'warn', sink: { write: (line) => void lines.push(line) } });
    const pool = new ConnectionPool({ url: harness.databaseUrl, name: 'test', size: 1, synchronousCommit: true, isLane: true }, told);
    try {
      await pool.execute(FILL_NOW);
      for (let time = 0; time < 3; time += 1) {
        await expect(pool.execute(INSERT)).rejects.toThrow('no room');
        await expect(pool.transaction(async (open) => open.send(INSERT))).rejects.toThrow('no room');
      }
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/no disk space or memory left/);
    } finally {
      await pool.end();
    }
  });
});
