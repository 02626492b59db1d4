/** One machine, several keys of its owner, at the same moment: from whichever key, and however often, it ends as few workers. */
import { randomUUID } from 'node:crypto';
import type { Hello, KeyId, RegisteredWorkerView } from '@muster/protocol';
import { eventually } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { toHello } from '../src/http-workers/registration.js';
import { WorkerRegistry, type Enrolment } from '../src/workers/worker-registry.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { Rest, type Answer } from './rest.js';

jest.setTimeout(120_000);

const WAITING = sql`
  select count(*)::int as count
  from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and application_name = 'muster control'
`;
const KEYS_OF_MACHINE = sql`select id, key_id from worker where machine_id = $1 order by id`;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

interface Key { readonly id: KeyId; readonly secret: string }
const newKey = async (): Promise<Key> => {
  const { id, secret } = await harness.createKey('worker', 'lab');
  return { id: id as KeyId, secret };
};
const register = ({ secret }: Key, body: object): Promise<Answer<RegisteredWorkerView>> => new Rest(harness.controlPlane.url, secret).post('/workers/register', body);
const helloOf = (name: string): Hello => ({ ...toHello({ name }), instanceId: randomUUID() });
const whenWaiting = (what: string): Promise<unknown> => eventually(what, async () => (await harness.database.query<{ count: number }>(WAITING))[0]?.count === 1);

/** Registers the machine as a new worker of the key, and holds back the commit until it is told that somebody waits for it. */
async function registerAndLinger(key: Key, name: string): Promise<{ commit(): void; readonly enrolled: Promise<Enrolment> }> {
  let commit: () => void = () => undefined;
  const mayCommit = new Promise<void>((resolve) => (commit = resolve));
  let isStored: () => void = () => undefined;
  const stored = new Promise<void>((resolve) => (isStored = resolve));
  const enrolled = harness.controlPlane.app.get(WorkerRegistry).enrol({ keyId: key.id, owner: 'lab' }, helloOf(name), {
    find: async () => undefined,
    store: () => {
      isStored();
      return mayCommit;
    },
  });
  await Promise.race([stored, enrolled]);
  return { commit, enrolled };
}

describe('a machine that comes twice at once', () => {
  it('is taken under the key it had, when another program registers it as new with the key it now brings', async () => {
    const [before, after] = [await newKey(), await newKey()];
    const { workerId } = (await register(before, { name: 'moved' })).body;
    const other = await registerAndLinger(after, 'moved');
    const moving = register(after, { name: 'moved', workerId });
    await whenWaiting('the worker that moves waits for the new one');
    other.commit();
    expect(await moving).toMatchObject({ status: 200, body: { workerId } });
    const { workerId: newId } = (await other.enrolled) as { workerId: string };
    const rows = await harness.database.query<{ id: string; key_id: string }>(KEYS_OF_MACHINE, ['moved']);
    expect(new Map(rows.map(({ id, key_id }) => [id, key_id]))).toEqual(new Map([[workerId, before.id], [newId, after.id]]));
  });

  it('is one worker, when two programs register it as new with one key', async () => {
    const key = await newKey();
    const first = await registerAndLinger(key, 'twins');
    const second = register(key, { name: 'twins' });
    await whenWaiting('the second waits for the first');
    first.commit();
    const { workerId } = (await first.enrolled) as { workerId: string };
    expect(await second).toMatchObject({ status: 200, body: { workerId } });
    expect(await harness.database.query(KEYS_OF_MACHINE, ['twins'])).toHaveLength(1);
  });
});
