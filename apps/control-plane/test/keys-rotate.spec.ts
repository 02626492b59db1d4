import { KEY_TIMES } from '@muster/protocol';
import type { CreatedKeyView, KeyView, MeView } from '@muster/protocol';
import { createSystemClock } from '@muster/runtime';
import type { Clock } from '@muster/runtime';
import { eventually } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { WaitingClaims } from '../src/http-workers/waiting-claims.js';
import { WatchSchedule } from '../src/workers/watch.schedule.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { HttpWorker } from './http-worker.js';
import { Rest } from './rest.js';

const system = createSystemClock();
/** Passes the time for which a verified key is believed; how long secrets live is the database's to say. */
let skippedMs = 0;
const clock: Clock = { nowMs: () => system.nowMs() + skippedMs, monotonicMs: () => system.monotonicMs() + skippedMs, sleep: system.sleep };
/** As if the overlap had begun long ago. */
const END_OVERLAPS = sql`update key_secret_before set ends_at = now() where key_id = $1`;

let harness: Harness;
let admin: Rest;
beforeAll(async () => {
  harness = await startHarness({ clock });
  const { secret } = await harness.createKey('admin', 'root');
  admin = new Rest(harness.controlPlane.url, secret);
});
beforeEach(() => (skippedMs += 120_000));
afterAll(() => harness.stop());

const withKey = (key: string): Rest => new Rest(harness.controlPlane.url, key);
const rotate = async (id: string, body: object = {}): Promise<CreatedKeyView> => (await admin.post<CreatedKeyView>(`/keys/${id}/rotate`, body)).body;
const shown = async (id: string): Promise<KeyView | undefined> => (await admin.get<{ data: KeyView[] }>('/keys')).body.data.find((key) => key.id === id);

describe('a rotated key', () => {
  it('has two secrets that work until the overlap ends, and is the same key with both', async () => {
    const { id, secret: before } = await harness.createKey('submitter', 'maria');
    const rotated = await rotate(id, { overlapSeconds: 3_600 });
    expect(rotated).toMatchObject({ id, role: 'submitter', owner: 'maria', name: 'submitter', revokedAt: null });
    expect(Date.parse(rotated.overlapEndsAt ?? '') - Date.parse(rotated.rotatedAt ?? '')).toBe(3_600_000);
    expect(rotated.secret).not.toBe(before);
    for (const secret of [before, rotated.secret]) {
      expect((await withKey(secret).get<MeView>('/me')).body).toEqual({ keyId: id, role: 'submitter', owner: 'maria', name: 'submitter' });
    }
    await harness.database.execute(END_OVERLAPS, [id]);
    skippedMs += 2_000;
    expect(await withKey(before).refused('GET', '/api/v1/me')).toMatchObject({ status: 401, hint: expect.stringMatching(/^This secret of the key mst_sub_\w{8}… was replaced; it worked until 20/) });
    expect((await withKey(rotated.secret).get('/me')).status).toBe(200);
    expect(await shown(id)).toMatchObject({ rotatedAt: rotated.rotatedAt, overlapEndsAt: null });
  });

  it('overlaps for a day unless told, and shows its secret in one answer only', async () => {
    const { id } = await harness.createKey('viewer');
    const { secret, ...view } = await rotate(id);
    expect(Date.parse(view.overlapEndsAt ?? '') - Date.parse(view.rotatedAt ?? '')).toBe(KEY_TIMES.overlapSecondsDefault * 1_000);
    expect(await shown(id)).toEqual(view);
    const [event] = await harness.database.query<{ actor: string; data: object }>(sql`select actor, data from event where type = 'key.rotated' order by seq desc limit 1`);
    expect(event).toEqual({ actor: 'root', data: { keyId: id, name: 'viewer', role: 'viewer', owner: 'viewer', overlapSeconds: 86_400 } });
    expect(JSON.stringify(await harness.database.query(sql`select * from event`))).not.toContain(secret.slice(40));
  });

  it('with no overlap has one secret at once, also where the other was just believed', async () => {
    const { id, secret: before } = await harness.createKey('viewer');
    expect((await withKey(before).get('/me')).status).toBe(200);
    const { secret } = await rotate(id, { overlapSeconds: 0 });
    expect((await withKey(before).get('/me')).status).toBe(401);
    expect((await withKey(secret).get('/me')).status).toBe(200);
  });

  it('keeps what an earlier rotation promised, and no secret longer than the last one says', async () => {
    const { id, secret: first } = await harness.createKey('viewer');
    const { secret: second } = await rotate(id, { overlapSeconds: 600 });
    const { secret: third } = await rotate(id, { overlapSeconds: 86_400 });
    const ends = await harness.database.query<{ number: number; minutes: number }>(
      sql`select number, round(extract(epoch from ends_at - now()) / 60)::int as minutes from key_secret_before where key_id = $1 order by number`, [id],
    );
    expect(ends).toEqual([{ number: 1, minutes: 10 }, { number: 2, minutes: 1_440 }]);
    for (const secret of [first, second, third]) expect((await withKey(secret).get('/me')).status).toBe(200);
    const { secret: last } = await rotate(id, { overlapSeconds: 0 });
    for (const secret of [first, second, third]) expect((await withKey(secret).get('/me')).status).toBe(401);
    expect((await withKey(last).get('/me')).status).toBe(200);
  });

  it('ends with all its secrets when it is revoked', async () => {
    const { id, secret: before } = await harness.createKey('viewer');
    const { secret } = await rotate(id);
    await admin.send('DELETE', `/api/v1/keys/${id}`);
    for (const each of [before, secret]) expect((await withKey(each).refused('GET', '/api/v1/me')).hint).toContain('was revoked at');
    expect(await admin.refused('POST', `/api/v1/keys/${id}/rotate`, { body: {} })).toMatchObject({ code: 'illegalTransition', currentState: 'revoked', hint: expect.stringContaining('muster keys create') });
  });

  it('keeps its agent at work: cut off when the old secret ends, and back with the new one as the same worker', async () => {
    const { id, secret: before } = await harness.createKey('worker', 'lab');
    const agent = await harness.agent({ key: before });
    const { workerId, session } = agent;
    const { secret } = await rotate(id);
    await harness.database.execute(END_OVERLAPS, [id]);
    await eventually('the socket is cut', () => !agent.isConnected);
    // Told nothing that would make it exit.
    expect(agent.closings).toEqual([]);
    const again = await harness.agent({ key: secret, machineId: agent.machineId });
    expect(again.workerId).toBe(workerId);
    expect(again.session).toBeGreaterThan(session);
  });

  it('gives no job to a request that has waited since before the old secret ended', async () => {
    const { app } = harness.controlPlane;
    const { id, secret: before } = await harness.createKey('worker', 'asking');
    const worker = await HttpWorker.register(harness, { name: 'asking', key: before });
    const asking = worker.ask();
    await eventually('the request waits', () => app.get(WaitingClaims).size === 1);
    await rotate(id, { overlapSeconds: 0 });
    await app.get(WatchSchedule).watch();
    expect(app.get(WaitingClaims).size).toBe(0);
    expect((await asking).status).toBe(204);
    expect((await worker.ask()).status).toBe(401);
  });

  it('that nobody has is unknown, and so is one with too many secrets refused by name', async () => {
    expect((await admin.refused('POST', '/api/v1/keys/key_01JDABCDEF0123456789ABCDEF/rotate', { body: {} })).status).toBe(404);
    const { id } = await harness.createKey('viewer');
    for (let times = 0; times < 4; times++) await rotate(id);
    expect(await admin.refused('POST', `/api/v1/keys/${id}/rotate`, { body: {} })).toMatchObject({ code: 'illegalTransition', detail: '4 replaced secrets of this key still work.', hint: expect.stringContaining('overlap of 0') });
    expect((await rotate(id, { overlapSeconds: 0 })).overlapEndsAt).toBeNull();
  });
});

describe('how long something lives', () => {
  const aKey = { name: 'x', role: 'viewer' };
  it.each([
    ['/keys', { ...aKey, expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt', 'Expected a moment in the future.'],
    ['/keys', { ...aKey, expiresAt: '2150-01-01T00:00:00Z' }, '/expiresAt', 'Expected a moment within ten years.'],
    ['/keys', { ...aKey, expiresInSeconds: 0 }, '/expiresInSeconds', 'Expected a whole number from 1 to 316224000, got 0.'],
    ['/keys', { ...aKey, expiresInSeconds: 1.5 }, '/expiresInSeconds', 'Expected a whole number from 1 to 316224000, got 1.5.'],
    ['/keys', { ...aKey, expiresInSeconds: 60, expiresAt: '2027-01-01T00:00:00Z' }, '/expiresInSeconds', 'Give either expiresAt or expiresInSeconds.'],
    ['/keys', { ...aKey, expiresAt: 'tomorrow' }, '/expiresAt', 'Expected a moment as in 2027-01-01T00:00:00Z, got "tomorrow".'],
    ['/keys/enrolment-tokens', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt', 'Expected a moment in the future.'],
    ['/keys/enrolment-tokens', { name: 'x', expiresAt: '2150-01-01T00:00:00Z' }, '/expiresAt', 'Expected a moment within 30 days.'],
    ['/keys/enrolment-tokens', { name: 'x', expiresInSeconds: 2_592_001 }, '/expiresInSeconds', 'Expected a whole number from 1 to 2592000, got 2592001.'],
  ])('is refused by name: %s %j', async (path, body, pointer, detail) => {
    expect(await admin.refused('POST', `/api/v1${path}`, { body })).toMatchObject({ status: 400, errors: [{ pointer, detail }] });
  });

  it('is refused by name where it is an overlap', async () => {
    const { id } = await harness.createKey('viewer');
    const problem = await admin.refused('POST', `/api/v1/keys/${id}/rotate`, { body: { overlapSeconds: -1 } });
    expect(problem.errors).toEqual([{ pointer: '/overlapSeconds', detail: 'Expected a whole number from 0 to 2592000, got -1.' }]);
  });

  it('counts from the clock of the database when it is a time from now', async () => {
    const { body } = await admin.post<CreatedKeyView>('/keys', { ...aKey, expiresInSeconds: 3_600 });
    expect(Date.parse(body.expiresAt ?? '') - Date.parse(body.createdAt)).toBe(3_600_000);
    await harness.database.execute(sql`update api_key set expires_at = now() where id = $1`, [body.id]);
    expect((await withKey(body.secret).refused('GET', '/api/v1/me')).hint).toContain('expired at');
  });
});
