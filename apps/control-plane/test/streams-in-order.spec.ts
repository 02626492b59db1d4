import type { Offer } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { ROWS_STORE } from '../src/engine/store.sql.js';
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
        const proof = { log_id: first.attemptId, stream: 'output', final_length: 1, sha256: 'a'.repeat(64) };
        await end.execute(ROWS_STORE, ['[]', '[]', '[]', '[]', JSON.stringify([proof]), Date.now()]);
      });
      await eventually('the lane waits for the new stream', isWaiting);
      expect(await end.query(LOCK_STREAM_NOW, [second.attemptId])).toHaveLength(1);
    });
    expect(await batch).toEqual([{ storedLength: 2 }, { storedLength: 2 }, { storedLength: 1 }]);
  });
});

describe('an agent that sends more than is held for it', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('waits until there is room again, and loses nothing', async () => {
    const agent = await harness.agent();
    await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    await agent.log(offer, 0, 'x');
    const megabyte = { attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' as const };
    // Not looked at, but received: what a message weighs is what arrived. All together they are more than the kernel takes
    // for a reader that was quick at first: its buffer grows to 32 MiB.
    const padding = 'p'.repeat(900_000);
    const count = 80;
    const answers: Promise<unknown>[] = [];
    await harness.database.transaction(async (blocker) => {
      await blocker.query(LOCK_STREAM, [offer.attemptId]);
      for (let offset = 1; offset <= count; offset += 1) answers.push(agent.call('log:append', chunkAt(offer, offset, padding)));
      await eventually('the lane waits', async () => (await harness.database.query(LANE_WAITS)).length > 0);
      let looks: number[] = [];
      await eventually('the agent cannot get rid of the rest', () => {
        looks = [unsentBytes(agent), ...looks].slice(0, 10);
        return looks.length === 10 && looks.every((bytes) => bytes > 1_000_000 && bytes === looks[0]);
      });
    });
    expect(await Promise.all(answers)).toHaveLength(count);
    expect((await agent.beat([megabyte])).verdicts).toMatchObject([{ kind: 'keep' }]);
    agent.leave();
  });
});

function chunkAt(offer: Offer, offset: number, padding: string): object {
  return {
    attemptId: offer.attemptId, epoch: offer.epoch, stream: 'output', offset, rawLength: 1, encoding: 'identity',
    readAt: new Date().toISOString(), bytes: Buffer.from('y'), padding,
  };
}

/** What the client's WebSocket could not send yet. */
function unsentBytes(agent: FakeAgent): number {
  const { transport } = agent.socket.io.engine;
  const socket: unknown = 'ws' in transport ? transport.ws : undefined;
  return typeof socket === 'object' && socket !== null && 'bufferedAmount' in socket ? Number(socket.bufferedAmount) : 0;
}
