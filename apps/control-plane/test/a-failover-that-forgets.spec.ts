import { eventually, type FakeAgent } from '@muster/testing';
import type { JobId, Offer } from '@muster/protocol';
import { Statement, sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

const REMEMBER_JOBS = sql`create table job_before as select * from job`;
const REMEMBER_ATTEMPTS = sql`create table attempt_before as select * from attempt`;
const REMEMBER_WORKERS = sql`create table worker_before as select * from worker`;
const FORGET_START = sql`
  update worker as now set session = b.session, instance_id = b.instance_id, last_beat_at = b.last_beat_at
  from worker_before as b where b.id = now.id
`;
const COLUMNS = sql`
  select string_agg(quote_ident(column_name), ', ' order by ordinal_position) as names
  from information_schema.columns
  where table_schema = current_schema() and table_name = $1 and is_generated = 'NEVER' and is_identity = 'NO'
`;
const EXPIRE = sql`update attempt set lease_until = now() - interval '1 second' where job_id = $1 and state <> 'ended'`;

describe('a job whose end was acknowledged by a database that forgot it', () => {
  let harness: Harness;
  let agent: FakeAgent;
  let offer: Offer;
  beforeEach(async () => {
    harness = await startHarness();
    agent = await harness.agent({ slots: 1 });
    await harness.submit({ retry: { onFailure: 0, onWorkerLost: 3, backoffSeconds: 0 } });
    offer = await agent.nextOffer();
    await agent.start(offer);
    await agent.beat([running()]);
    await harness.database.execute(REMEMBER_JOBS, []);
    await harness.database.execute(REMEMBER_ATTEMPTS, []);
    expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    await forget(offer.jobId);
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'running' });
  });
  afterEach(() => harness?.stop());

  const running = () => ({ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' as const });

  /** As a standby that took over without the last transactions: the rows are what they were before. */
  async function forget(jobId: JobId): Promise<void> {
    for (const table of ['job', 'attempt']) {
      const [columns] = await harness.database.query<{ names: string }>(COLUMNS, [table]);
      const key = table === 'job' ? 'id' : 'job_id';
      const names = columns?.names ?? '';
      const text = `update ${table} as now set (${names}) = (select ${names} from ${table}_before as b where b.id = now.id) where now.${key} = $1`;
      await harness.database.execute(new Statement(text), [jobId]);
    }
  }

  it('that has its end to tell still completes the job, once', async () => {
    // Its answer was lost with the old database: the agent still holds the end, and says so until it is heard.
    expect((await agent.beat([{ ...running(), state: 'exited' }])).verdicts).toMatchObject([{ kind: 'keep' }]);
    expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    expect(await agent.end(offer)).toEqual({ kind: 'repeated' });
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'completed', attempt_count: 1 });
  });

  it('and the start of the agent that told it hears of neither: it is asked for a hello and goes on', async () => {
    await harness.database.execute(REMEMBER_WORKERS, []);
    await agent.restart([{ ...running(), state: 'exited' }]);
    await harness.database.execute(FORGET_START, []);
    const beat = { session: agent.session, executions: [], sample: null, paused: false, slotsFree: 0 };
    expect(await agent.call('worker:beat', beat)).toMatchObject({ error: { code: 'notSynced' } });
    const end = { attemptId: offer.attemptId, epoch: offer.epoch };
    expect(await agent.call('attempt:start', end)).toMatchObject({ error: { code: 'notSynced' } });
    expect([agent.closings, agent.isConnected]).toEqual([[], true]);

    const { session } = agent;
    await agent.reconnect();
    expect(await agent.hello([{ ...running(), state: 'exited' }])).toMatchObject({ session, verdicts: [{ kind: 'keep' }] });
    expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'completed', attempt_count: 1 });
  });

  it('that has forgotten it has the job run again when its lease is over', async () => {
    expect((await agent.beat([])).verdicts).toEqual([]);
    await harness.database.execute(EXPIRE, [offer.jobId]);
    const again = await eventually('it is offered again', async () => {
      await agent.beat([]);
      return agent.offers.shift();
    }, { timeoutMs: 60_000, everyMs: 200 });
    expect(again).toMatchObject({ jobId: offer.jobId, number: 2 });
    expect(again.epoch).toBeGreaterThan(offer.epoch);
    await agent.start(again);
    expect(await agent.end(again)).toEqual({ kind: 'accepted' });
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'completed', attempt_count: 2 });
  });
});
