import type { Clock } from '@muster/runtime';
import { createSystemClock } from '@muster/runtime';
import { TIMES } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

const LOCK_WORKER = sql`select id from worker where id = $1 for update`;
const SESSION = sql`select session from worker where id = $1`;
const WAITING = sql`
  select count(*)::integer as count
  from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and application_name = 'muster control'
`;

class MovedClock implements Clock {
  aheadMs = 0;
  private readonly system = createSystemClock();
  readonly nowMs = this.system.nowMs;
  readonly sleep = this.system.sleep;

  monotonicMs(): number {
    return this.system.monotonicMs() + this.aheadMs;
  }
}

describe('a first hello that was taken in time', () => {
  const clock = new MovedClock();
  let harness: Harness;
  let agent: FakeAgent;
  beforeAll(async () => {
    harness = await startHarness({ clock });
    agent = await harness.agent();
  });
  afterAll(() => harness?.stop());

  async function helloThatWaits(waitMs: number): Promise<unknown> {
    await agent.reconnect();
    const hello = { ...agent.helloMessage(), session: 0, instanceId: `later-${waitMs}` };
    return harness.database.control.transaction(async (connection) => {
      await connection.query(LOCK_WORKER, [agent.workerId ?? null]);
      const answer = agent.call('worker:hello', hello);
      await eventually('the hello waits for its rows', async () => (await harness.database.query<{ count: number }>(WAITING, []))[0]?.count, { timeoutMs: 30_000 });
      clock.aheadMs += waitMs;
      return { answer };
    }).then(({ answer }) => answer);
  }

  const session = async (): Promise<number | undefined> => (await harness.database.query<{ session: number }>(SESSION, [agent.workerId ?? null]))[0]?.session;

  it('does not take the worker over when it is too old once it is decided', async () => {
    const before = await session();
    expect(await helloThatWaits(TIMES.firstHelloWithinMs + 1)).toMatchObject({ error: { code: 'unavailable', detail: expect.stringContaining('Connect again') } });
    expect(await session()).toBe(before);
  });

  it('takes the worker over when it only waited a little', async () => {
    const before = (await session()) ?? 0;
    expect(await helloThatWaits(1_000)).toMatchObject({ ok: { session: before + 1 } });
  });
});
