import type { KeyId } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import pg from 'pg';
import { sql } from '../src/database/sql.js';
import { revokeKey } from '../src/keys/keys.service.js';
import { WatchSchedule } from '../src/workers/watch.schedule.js';
import { WorkerRegistry } from '../src/workers/worker-registry.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(120_000);

const WORKER = sql`select key_id, is_fenced from worker where id = $1`;
const WAITING = sql`
  select count(*)::int as count
  from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and application_name ~ $1
`;

describe('a hello with a key that is revoked at the same moment', () => {
  let harness: Harness;
  let agent: FakeAgent;
  let before: string;
  let key: { readonly keyId: KeyId; readonly owner: string };

  beforeAll(async () => {
    harness = await startHarness();
    // Nothing but the rows themselves stands between the agent and its lease.
    await harness.controlPlane.app.get(WatchSchedule).stop();
  });
  afterAll(() => harness?.stop());

  beforeEach(async () => {
    const { id, secret } = await harness.createKey('worker', 'lab');
    before = id;
    agent = await harness.agent({ key: secret });
    key = { keyId: (await harness.createKey('worker', 'lab')).id as KeyId, owner: 'lab' };
  });

  const enrol = (): Promise<unknown> => harness.controlPlane.app.get(WorkerRegistry).enrol(key, agent.helloMessage());
  const isWaiting = async (pool: string): Promise<boolean> => (await harness.database.query<{ count: number }>(WAITING, [`${pool}$`]))[0]?.count === 1;

  it('waits for a revocation that came first, and is refused: the worker stays with the key it had', async () => {
    let enrolled: Promise<unknown> | undefined;
    await harness.database.transaction(async (connection) => {
      await revokeKey(connection, key.keyId, 'root');
      let isOver = false;
      enrolled = enrol().finally(() => (isOver = true));
      await eventually('the hello waits or went through', async () => isOver || (await isWaiting('control')));
    });
    expect(await enrolled).toEqual({ refused: 'keyRevoked' });
    expect(await harness.database.query(WORKER, [agent.workerId])).toEqual([{ key_id: before, is_fenced: false }]);
  });

  it('is waited for by a revocation that came later, which fences the worker that came to the key', async () => {
    const gate = new pg.Client({ connectionString: harness.databaseUrl });
    await gate.connect();
    try {
      await gate.query('begin');
      await gate.query('select from worker where id = $1 for update', [agent.workerId]);
      const enrolled = enrol();
      await eventually('the hello waits for its worker', () => isWaiting('control'));
      let isOver = false;
      const revoked = harness.database.transaction((connection) => revokeKey(connection, key.keyId, 'root')).finally(() => (isOver = true));
      await eventually('the revocation waits for the hello or went through', async () => isOver || (await isWaiting('shared')));
      await gate.query('commit');
      expect(await enrolled).toMatchObject({ workerId: agent.workerId });
      await revoked;
    } finally {
      await gate.end();
    }
    expect(await harness.database.query(WORKER, [agent.workerId])).toEqual([{ key_id: key.keyId, is_fenced: true }]);
  });
});
