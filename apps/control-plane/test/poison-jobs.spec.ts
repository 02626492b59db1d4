import { eventually } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

const EXPIRE = sql`update attempt set lease_until = now() - interval '1 second' where job_id = $1 and state <> 'ended'`;
const NO_BACKOFF = { onFailure: 0, onWorkerLost: 100, backoffSeconds: 0 } as const;

describe('a job whose workers die while they run it', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('is failed as suspect after the third, whatever its budget, and kills no fourth', async () => {
    const jobId = await harness.submit({ retry: NO_BACKOFF, disconnect: { lostAfterSeconds: 1, onWorkerLost: 'requeue', exclusive: false } });
    for (const name of ['first', 'second', 'third']) {
      const agent = await harness.agent({ name, slots: 1 });
      const offer = await agent.nextOffer(60_000);
      expect(offer.jobId).toBe(jobId);
      await agent.start(offer);
      await agent.beat([{ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' }]);
      agent.leave();
      await harness.database.execute(EXPIRE, [jobId]);
      await eventually('it is lost', async () => (await harness.attempts(jobId)).at(-1)?.outcome === 'lost');
    }

    await eventually('it has failed', async () => (await harness.job(jobId)).status === 'failed');
    expect(await harness.job(jobId)).toMatchObject({ reason: 'poisonJob', current_attempt_id: null });
    const fourth = await harness.agent({ name: 'fourth', slots: 1 });
    const another = await harness.submit();
    expect((await fourth.nextOffer(60_000)).jobId).toBe(another);
    expect(await harness.attempts(jobId)).toHaveLength(3);
    fourth.leave();
  });
});
