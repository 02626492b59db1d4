import type { JobView, Problem } from '@muster/protocol';
import { sql, Statement } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs } from './rest.js';

jest.setTimeout(120_000);

/** What PostgreSQL answers when a statement has waited for a lock as long as it may. */
const STUCK = sql`
  create function give_up() returns trigger language plpgsql as $$
    begin raise exception 'canceling statement due to statement timeout' using errcode = '57014'; end
  $$
`;
const HELD = new Statement('create trigger held before insert or update on job for each row execute function give_up()');
const FREE = new Statement('drop trigger held on job');
const TRUE = { run: { command: ['/bin/true'] } };

describe('a database that takes too long', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('is no mistake of ours: who asked is told to try again, and succeeds when it is faster', async () => {
    const ada = await restAs(harness, 'submitter');
    const { body: job } = await ada.post<JobView>('/jobs', TRUE);
    await harness.database.execute(STUCK);
    await harness.database.execute(HELD);
    for (const answer of [await ada.post<Problem>('/jobs', TRUE), await ada.post<Problem>(`/jobs/${job.id}/cancel`)]) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable', detail: 'The database took too long; nothing of this request is stored.' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await harness.database.execute(FREE);
    expect(await ada.post(`/jobs/${job.id}/cancel`)).toMatchObject({ status: 202, body: { status: 'cancelled' } });
  });
});
