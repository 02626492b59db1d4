import { sql } from '../src/database/sql.js';
import { WatchSchedule } from '../src/workers/watch.schedule.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

/** Longer than any spec takes. */
const SILENT_SECONDS = 300;
const SILENCE = sql`update worker set last_beat_at = last_beat_at - $1 * interval '1 s'`;
const LINKS = sql`select link from worker`;

describe('the control plane that other specs start', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('offers jobs to a fake agent that has said nothing for minutes, also when another replica comes', async () => {
    const agent = await harness.agent();
    await harness.database.execute(SILENCE, [SILENT_SECONDS]);
    const replica = await harness.startReplica();
    for (const { app } of [harness.controlPlane, replica]) await app.get(WatchSchedule).watch();
    expect(await harness.database.query(LINKS)).toEqual([{ link: 'connected' }]);
    const jobId = await harness.submit();
    expect(await agent.nextOffer()).toMatchObject({ jobId });
  });
});
