import { eventually, FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

const FORGET = sql`update worker set replica_id = $2 where id = $1`;
const SUSPICIONS = sql`select count(*)::int as count from event where worker_id = $1 and type = 'worker.suspect'`;
const REPLICA = sql`select replica_id from worker where id = $1`;

describe('a worker that came back', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('is offered again at once what it was offered before and did not hear of', async () => {
    const agent = await harness.agent({ slots: 1 });
    await harness.submit();
    const offer = await agent.nextOffer();
    await agent.reconnect();
    await agent.hello();
    expect(await agent.nextOffer()).toEqual(offer);
    expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
    await agent.end(offer);
    agent.leave();
  });

  it('as a new start of its agent is not suspect because its predecessor is sent away', async () => {
    let agent = await harness.agent({ name: 'reborn', slots: 1 });
    const { workerId, machineId, options } = agent;
    for (let count = 0; count < 20; count += 1) {
      const before = agent;
      agent = await FakeAgent.join({ ...options, machineId });
      expect(agent.workerId).toBe(workerId);
      await eventually('the predecessor is sent away', () => !before.isConnected, { everyMs: 2 });
    }
    agent.leave();
    // The socket that closes last is the worker's own; the others closed before it.
    await eventually('its own end is noticed', async () => {
      const [row] = await harness.database.query<{ count: number }>(SUSPICIONS, [workerId]);
      return row !== undefined && row.count > 0;
    });
    expect(await harness.database.query(SUSPICIONS, [workerId])).toEqual([{ count: 1 }]);
  });

  it.each([['nobody', null], ['another replica', 'replica_gone']])(
    'and beats here is offered work here, although %s is stored as its place',
    async (_what, place) => {
      const agent = await harness.agent({ slots: 1 });
      await harness.database.execute(FORGET, [agent.workerId, place]);
      await agent.beat();
      await eventually('it is here again', async () => {
        const [row] = await harness.database.query<{ replica_id: string | null }>(REPLICA, [agent.workerId]);
        return row?.replica_id === harness.controlPlane.replicaId;
      });
      const jobId = await harness.submit();
      expect(await agent.nextOffer()).toMatchObject({ jobId });
      agent.leave();
    },
  );
});
