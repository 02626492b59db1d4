import type { Offer } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { LOG_PROOFS_STORE } from '../src/engine/store.sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(120_000);

const LOCK_STREAM = sql`select 1 as found from log_stream where log_id = $1 and stream = 'output' for update`;
const LOCK_STREAM_NOW = sql`select 1 as found from log_stream where log_id = $1 and stream = 'output' for update nowait`;
const LANE_WAITS = sql`
  select 1 as found
  from pg_stat_activity
  where datname = current_database() and application_name = 'muster logs' and wait_event_type = 'Lock'
`;

describe('two writers of the same streams', () => {
  let harness: Harness;
  let agent: FakeAgent;
  beforeAll(async () => {
    harness = await startHarness();
    agent = await harness.agent({ slots: 10 });
  });
  afterAll(() => harness?.stop());

  async function running(): Promise<Offer> {
    await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    return offer;
  }
  const isWaiting = async (): Promise<boolean> => (await harness.database.query(LANE_WAITS)).length > 0;

  it('never wait in a circle when one of the streams is new', async () => {
    const busy = await running();
    const [first, second] = [await running(), await running()].sort((a, b) => (a.attemptId < b.attemptId ? -1 : 1)) as [Offer, Offer];
    await agent.log(busy, 0, 'x');
    await agent.log(second, 0, 'x');
    let batch: Promise<unknown> = Promise.resolve();
    await harness.database.transaction(async (end) => {
      // Both chunks collect in one batch while the lane waits for a third stream.
      await harness.database.transaction(async (blocker) => {
        await blocker.query(LOCK_STREAM, [busy.attemptId]);
        const blocked = agent.log(busy, 1, 'y');
        await eventually('the lane waits for the third stream', isWaiting);
        batch = Promise.all([blocked, agent.log(second, 1, 'y'), agent.log(first, 0, 'x')]);
        await agent.beat([first, second].map(({ attemptId, epoch }) => ({ attemptId, epoch, state: 'running' as const })));
        // As an end does that proves both: the new stream first, by order.
        await end.execute(LOG_PROOFS_STORE, [[first.attemptId], ['output'], [1], ['a'.repeat(64)]]);
      });
      await eventually('the lane waits for the new stream', isWaiting);
      expect(await end.query(LOCK_STREAM_NOW, [second.attemptId])).toHaveLength(1);
    });
    expect(await batch).toEqual([{ storedLength: 2 }, { storedLength: 2 }, { storedLength: 1 }]);
  });
});
