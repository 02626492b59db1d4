import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreatedKeyView, EventView, JobView, KeyView, MeView, Problem } from '@muster/protocol';
import { createSystemClock } from '@muster/runtime';
import type { Clock } from '@muster/runtime';
import { eventually, FakeAgent } from '@muster/testing';
import { configWith } from '../src/config.js';
import { startControlPlane } from '../src/control-plane.js';
import type { ControlPlane } from '../src/control-plane.js';
import { Database } from '../src/database/database.js';
import { sql } from '../src/database/sql.js';
import { FAILURES_PER_MINUTE_MAX } from '../src/http/failed-auth-limiter.js';
import { KeyUsage } from '../src/keys/key-usage.js';
import { KEY_TO_VERIFY } from '../src/keys/keys.sql.js';
import { log, startHarness, testDatabase } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { countLooksAtKeys } from './looks-at-keys.js';
import { Rest, restAs } from './rest.js';

const system = createSystemClock();
/** Stands still but for what a test passes, so that no limit is refilled in between; only the limiter and the cache of verified keys read it. */
let skippedMs = 0;
const clock: Clock = { nowMs: () => system.nowMs() + skippedMs, monotonicMs: () => skippedMs, sleep: system.sleep };

let harness: Harness;
let admin: Rest;
let adminKey: { id: string; secret: string };
beforeAll(async () => {
  harness = await startHarness({ clock });
  adminKey = await harness.createKey('admin', 'root');
  admin = new Rest(harness.controlPlane.url, adminKey.secret);
});
beforeEach(() => (skippedMs += 120_000));
afterAll(() => harness.stop());

const withKey = (key: string): Rest => new Rest(harness.controlPlane.url, key);

describe('a new key', () => {
  it('is shown once, works, and is listed without its secret', async () => {
    const made = await admin.post<CreatedKeyView>('/keys', { name: 'laptop', role: 'submitter', owner: 'maria' });
    expect(made.status).toBe(201);
    const { secret, ...shown } = made.body;
    expect((await withKey(secret).get<MeView>('/me')).body).toEqual({ keyId: shown.id, role: 'submitter', owner: 'maria', name: 'laptop' });
    const listed = await admin.get<{ data: KeyView[] }>('/keys');
    expect(listed.body.data).toContainEqual({ ...shown, lastUsedAt: null });
    expect(listed.text).not.toContain(secret.slice(-40));
    const [event] = await harness.database.query<{ actor: string; data: EventView['data'] }>(sql`select actor, data from event where type = 'key.created' order by seq desc limit 1`);
    expect(event).toEqual({ actor: 'root', data: { keyId: shown.id, name: 'laptop', role: 'submitter', owner: 'maria' } });
  });

  it('belongs to the owner of the key that made it unless told', async () => {
    const made = await admin.post<CreatedKeyView>('/keys', { name: 'spare', role: 'viewer' });
    expect(made.body.owner).toBe('root');
  });

  it('that would be over already is refused', async () => {
    const problem = await admin.refused('POST', '/api/v1/keys', { body: { name: 'x', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' } });
    expect(problem).toMatchObject({ status: 400, errors: [{ pointer: '/expiresAt', detail: 'Expected a moment in the future.' }] });
  });

  it('leaves a trace when it is used', async () => {
    const { id, secret } = await harness.createKey('viewer');
    await withKey(secret).get('/me');
    await harness.controlPlane.app.get(KeyUsage).flush();
    const { body } = await admin.get<{ data: KeyView[] }>('/keys');
    expect(Date.parse(body.data.find((key) => key.id === id)?.lastUsedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe('a revoked key', () => {
  it('is refused from then on, also where it was just believed, and says when it ended', async () => {
    const { id, secret } = await harness.createKey('submitter', 'eve');
    const eve = withKey(secret);
    expect((await eve.get('/me')).status).toBe(200);
    const revoked = await admin.send<KeyView>('DELETE', `/api/v1/keys/${id}`);
    expect(revoked.body.revokedAt).not.toBeNull();
    const problem = await eve.refused('POST', '/api/v1/jobs', { body: { run: { command: ['true'] } } });
    expect(problem).toMatchObject({ status: 401, code: 'unauthenticated', hint: expect.stringContaining(`was revoked at ${revoked.body.revokedAt}`) });
    const again = await admin.send<KeyView>('DELETE', `/api/v1/keys/${id}`);
    expect(again.body).toEqual(revoked.body);
  });

  it('is refused although it was being verified when it was revoked', async () => {
    const { id, secret } = await harness.createKey('viewer');
    const database = harness.controlPlane.app.get(Database);
    const readAsBefore = database.query.bind(database);
    let revoked: Promise<unknown> | undefined;
    const reading = jest.spyOn(database, 'query').mockImplementation(async (statement, values) => {
      const rows = await readAsBefore(statement, values);
      if (statement === KEY_TO_VERIFY && values?.[0] === id) await (revoked ??= admin.send('DELETE', `/api/v1/keys/${id}`));
      return rows as never;
    });
    expect((await withKey(secret).get('/me')).status).toBe(401);
    reading.mockRestore();
    expect((await withKey(secret).get('/me')).status).toBe(401);
  });

  it('is refused by a replica that heard nothing of it as soon as it may no longer be believed', async () => {
    const replica = await harness.startReplica();
    const { id, secret } = await harness.createKey('viewer');
    const there = new Rest(replica.url, secret);
    expect((await there.get('/me')).status).toBe(200);
    await harness.database.execute(sql`update api_key set revoked_at = now() where id = $1`, [id]);
    skippedMs += 2_000;
    expect((await there.get('/me')).status).toBe(401);
    await replica.stop();
  });

  it('takes its agents off within two seconds', async () => {
    const { id, secret } = await harness.createKey('worker', 'lab');
    const agent = await harness.agent({ key: secret });
    await admin.send('DELETE', `/api/v1/keys/${id}`);
    const looks = countLooksAtKeys(harness.controlPlane, id);
    await eventually('the socket is closed', () => !agent.isConnected);
    expect(looks()).toBeLessThanOrEqual(1);
    jest.restoreAllMocks();
    expect(agent.closings).toMatchObject([{ reason: 'keyRevoked' }]);
  });

  it('that nobody has is unknown', async () => {
    expect((await admin.refused('DELETE', '/api/v1/keys/key_01JDABCDEF0123456789ABCDEF')).status).toBe(404);
    expect((await admin.refused('DELETE', '/api/v1/keys/nonsense')).status).toBe(404);
  });
});

describe('an expired key', () => {
  it('is refused from that moment, and says so', async () => {
    const { id, secret } = await harness.createKey('viewer');
    expect((await withKey(secret).get('/me')).status).toBe(200);
    await harness.database.execute(sql`update api_key set expires_at = now() - interval '1 second' where id = $1`, [id]);
    skippedMs += 2_000;
    expect((await withKey(secret).refused('GET', '/api/v1/me')).hint).toMatch(/^The key mst_viw_\w{8}… expired at /);
  });
});

describe('the last admin key', () => {
  it('is not revoked, because nobody could make another', async () => {
    const { body } = await admin.get<{ data: KeyView[] }>('/keys');
    for (const key of body.data) {
      if (key.role === 'admin' && key.id !== adminKey.id) await admin.send('DELETE', `/api/v1/keys/${key.id}`);
    }
    expect(await admin.refused('DELETE', `/api/v1/keys/${adminKey.id}`)).toMatchObject({ status: 409, code: 'illegalTransition' });
    expect((await admin.get('/me')).status).toBe(200);
  });
});

describe('guessing', () => {
  it('is slowed down after ten failures a minute, and a good key still works', async () => {
    const { secret } = await harness.createKey('viewer');
    const statuses: number[] = [];
    for (let tries = 0; tries < FAILURES_PER_MINUTE_MAX + 2; tries++) statuses.push((await withKey(`${secret.slice(0, -1)}!`).get('/me')).status);
    expect(statuses).toEqual([...new Array(FAILURES_PER_MINUTE_MAX).fill(401), 429, 429]);
    const answer = await withKey('nonsense').send<Problem>('GET', '/api/v1/me');
    expect(answer.body.code).toBe('tooManyRequests');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await withKey(secret).get('/me')).status).toBe(200);
    skippedMs += 60_000;
    expect((await withKey('nonsense').get('/me')).status).toBe(401);
  });

  it('a mistyped key is told from a wrong one', async () => {
    const { secret } = await harness.createKey('viewer');
    expect((await withKey(secret.slice(0, -3)).refused('GET', '/api/v1/me')).hint).toBe(
      'It begins like a key (mst_viw_…) but is mistyped or cut off: its checksum does not fit.',
    );
  });
});

describe('the first start', () => {
  it('writes one admin and one worker key into files only their owner reads, and none the second time', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'muster-keys-'));
    const files = { bootstrapAdminKeyFile: join(dir, 'admin.key'), bootstrapWorkerKeyFile: join(dir, 'worker.key') };
    const database = await testDatabase();
    const start = (): Promise<ControlPlane> => startControlPlane({ config: configWith({ databaseUrl: database.url, port: 0, ...files }), log });
    const replicas = [await start()];
    try {
      const secret = (await readFile(files.bootstrapAdminKeyFile, 'utf8')).trim();
      const first = new Rest(replicas[0]?.url ?? '', secret);
      expect((await first.get<MeView>('/me')).body).toMatchObject({ role: 'admin', owner: 'admin' });
      for (const file of Object.values(files)) expect((await stat(file)).mode & 0o777).toBe(0o600);
      const agent = await FakeAgent.join({ url: first.url, key: (await readFile(files.bootstrapWorkerKeyFile, 'utf8')).trim() });
      expect(agent.workerId).toMatch(/^wkr_/);
      agent.leave();
      replicas.push(await start());
      expect((await readFile(files.bootstrapAdminKeyFile, 'utf8')).trim()).toBe(secret);
      const keys = (await first.get<{ data: KeyView[] }>('/keys')).body.data;
      expect(keys.map((key) => key.role).sort()).toEqual(['admin', 'worker']);
    } finally {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    }
  });
});

describe('what a submitter does', () => {
  it('is done in its owner\'s name', async () => {
    const maria = await restAs(harness, 'submitter', 'maria');
    const { body } = await maria.post<JobView>('/jobs', { run: { command: ['true'] } });
    expect(body.owner).toBe('maria');
  });
});
