import { randomBytes } from 'node:crypto';
import { LIMITS } from '@muster/protocol';
import type { CreatedEnrolmentTokenView, CreatedKeyView, EnrolmentTokenView, MeView, Problem } from '@muster/protocol';
import { createSystemClock } from '@muster/runtime';
import type { Clock } from '@muster/runtime';
import { eventually, FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { REGISTRATIONS_BURST, REGISTRATIONS_PER_SECOND, RegistrationLimiter } from '../src/keys/registration-limiter.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { Rest } from './rest.js';
import type { Answer } from './rest.js';

const system = createSystemClock();
/** Stands still but for what a test passes, so that no limit is refilled in between. */
let skippedMs = 0;
const clock: Clock = { nowMs: () => system.nowMs() + skippedMs, monotonicMs: () => skippedMs, sleep: system.sleep };
const EVENTS = sql`select type, actor, data from event where type like 'enrolmentToken.%' or type = 'key.created' order by seq`;
const MANY_WORKERS = sql`
  insert into worker (id, machine_id, key_id, owner, name, capability, slots)
  select 'wkr_' || lpad(number::text, 26, '0'), 'machine-' || number, $1, 'lab', 'many', 'cpu', 1 from generate_series(1, $2::int) as number
`;

let harness: Harness;
let admin: Rest;
beforeAll(async () => {
  harness = await startHarness({ clock });
  admin = new Rest(harness.controlPlane.url, (await harness.createKey('admin', 'root')).secret);
});
beforeEach(() => (skippedMs += 120_000));
afterAll(() => harness.stop());

const TOKENS = '/keys/enrolment-tokens';
const newToken = async (body: object = {}): Promise<CreatedEnrolmentTokenView> =>
  (await admin.post<CreatedEnrolmentTokenView>(TOKENS, { name: 'lab-3', owner: 'lab', ...body })).body;
const shown = async (id: string): Promise<EnrolmentTokenView | undefined> =>
  (await admin.get<{ data: EnrolmentTokenView[] }>(TOKENS)).body.data.find((token) => token.id === id);
const anExchangeId = (): string => randomBytes(32).toString('hex');
const enrol = (token: string, exchangeId = anExchangeId(), body: object = {}): Promise<Answer<CreatedKeyView & Problem>> =>
  new Rest(harness.controlPlane.url, token).post('/keys/enrol', { exchangeId, ...body });

describe('an enrolment token', () => {
  it('is exchanged for a worker key of its owner, with which an agent joins', async () => {
    const { token, ...view } = await newToken();
    expect(view).toMatchObject({ name: 'lab-3', owner: 'lab', usedAt: null, keyId: null, revokedAt: null });
    expect(Date.parse(view.expiresAt) - Date.parse(view.createdAt)).toBe(86_400_000);
    const { status, body } = await enrol(token, undefined, { name: 'the third machine' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ role: 'worker', owner: 'lab', name: 'the third machine', expiresAt: null });
    expect((await new Rest(harness.controlPlane.url, body.secret).get<MeView>('/me')).body).toMatchObject({ keyId: body.id, role: 'worker', owner: 'lab' });
    const agent = await harness.agent({ key: body.secret });
    expect(agent.workerId).toMatch(/^wkr_/);
    agent.leave();
    expect(await shown(view.id)).toEqual({ ...view, keyId: body.id, usedAt: expect.any(String) });
  });

  it('makes one key when two machines exchange it at once', async () => {
    for (let round = 0; round < 5; round++) {
      const { token, id } = await newToken();
      const answers = await Promise.all(Array.from({ length: 4 }, () => enrol(token)));
      const won = answers.filter(({ status }) => status === 201);
      expect(won).toHaveLength(1);
      expect(await shown(id)).toMatchObject({ keyId: won[0]?.body.id });
      const lost = answers.filter(({ status }) => status !== 201);
      for (const { body } of lost) {
        expect(body).toMatchObject({ status: 401, code: 'unauthenticated', hint: expect.stringMatching(/was used at .* and works once\. An admin makes a new one with `muster keys enrolment create`\./) });
      }
      expect(await harness.database.query(sql`select id from api_key where id = $1`, [won[0]?.body.id])).toHaveLength(1);
    }
  });

  it('answers the machine that took it the same key again, and nobody else', async () => {
    const { token } = await newToken();
    const exchangeId = anExchangeId();
    const first = await enrol(token, exchangeId);
    const again = await enrol(token, exchangeId);
    expect(again.body).toEqual({ ...first.body, lastUsedAt: null });
    expect((await enrol(token)).status).toBe(401);
    await admin.post(`/keys/${first.body.id}/rotate`, {});
    expect((await enrol(token, exchangeId)).body).toMatchObject({ status: 401, hint: expect.stringContaining('was revoked or rotated since') });
  });

  it('is over when it was revoked or has expired, and says so; a key that was made of it lives on', async () => {
    const used = await newToken();
    const exchangeId = anExchangeId();
    const { secret } = (await enrol(used.token, exchangeId)).body;
    const revoked = await admin.send<EnrolmentTokenView>('DELETE', `/api/v1${TOKENS}/${used.id}`);
    expect(revoked.body.revokedAt).not.toBeNull();
    expect((await admin.send<EnrolmentTokenView>('DELETE', `/api/v1${TOKENS}/${used.id}`)).body).toEqual(revoked.body);
    expect((await enrol(used.token, exchangeId)).body).toMatchObject({ status: 401, hint: expect.stringContaining(`was revoked at ${revoked.body.revokedAt}`) });
    expect((await new Rest(harness.controlPlane.url, secret).get('/me')).status).toBe(200);

    const late = await newToken({ expiresInSeconds: 60 });
    await harness.database.execute(sql`update enrolment_token set expires_at = now() where id = $1`, [late.id]);
    expect((await enrol(late.token)).body.hint).toMatch(/^The token mst_enr_\w{8}… expired at 20/);
    expect((await admin.refused('DELETE', `/api/v1${TOKENS}/enr_01JDABCDEF0123456789ABCDEF`)).status).toBe(404);
  });

  it('that is wrong or mistyped is refused, and guessing is slowed down', async () => {
    const { token } = await newToken();
    expect((await enrol(token.slice(0, -2))).body.hint).toContain('mistyped or cut off');
    const { formatEnrolmentToken, parseKey } = await import('../src/keys/key-format.js');
    const parsed = parseKey(token);
    if (parsed.kind !== 'enrolmentToken') throw new Error('not a token');
    const wrong = formatEnrolmentToken(parsed.id, Buffer.alloc(32, 7));
    expect((await enrol(wrong)).body).toMatchObject({ status: 401, hint: expect.stringContaining('Check that it is a token of this Muster.') });
    const statuses: number[] = [];
    for (let tries = 0; tries < 10; tries++) statuses.push((await enrol(wrong)).status);
    expect(statuses.slice(-2)).toEqual([429, 429]);
    expect((await enrol(token)).status).toBe(201);
  });

  it.each([
    ['no exchange id', {}, '/exchangeId'],
    ['one that could be guessed', { exchangeId: '1' }, '/exchangeId'],
    ['a role of its own choice', { exchangeId: anExchangeId(), role: 'admin' }, '/role'],
    ['an owner of its own choice', { exchangeId: anExchangeId(), owner: 'root' }, '/owner'],
    ['an empty name', { exchangeId: anExchangeId(), name: '' }, '/name'],
  ])('is kept when it comes with %s, and the field is named', async (_what, body, pointer) => {
    const { token, id } = await newToken();
    const answer = await new Rest(harness.controlPlane.url, token).post<Problem>('/keys/enrol', body);
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer }] });
    expect(await shown(id)).toMatchObject({ usedAt: null });
  });

  it('stands in no event, no row and no list', async () => {
    const { token } = await newToken();
    const exchangeId = anExchangeId();
    const { secret } = (await enrol(token, exchangeId)).body;
    const events = await harness.database.query(EVENTS);
    expect(events.slice(-3)).toMatchObject([
      { type: 'enrolmentToken.created', actor: 'root', data: { name: 'lab-3', owner: 'lab' } },
      { type: 'key.created', actor: 'lab', data: { role: 'worker', enrolmentTokenId: expect.any(String) } },
      { type: 'enrolmentToken.used', actor: 'lab', data: { keyId: expect.any(String) } },
    ]);
    const rows = await harness.database.query(sql`select enrolment_token::text, api_key::text from enrolment_token, api_key`);
    const everything = JSON.stringify([events, rows, (await admin.get(TOKENS)).text, (await admin.get('/keys')).text]);
    for (const canary of [token.slice(34, 70), secret.slice(30, 66), exchangeId]) expect(everything).not.toContain(canary);
  });
});

describe('a flood of registrations', () => {
  const flood = (id: string, address: string): void => {
    const limiter = harness.controlPlane.app.get(RegistrationLimiter);
    for (let count = 0; count <= REGISTRATIONS_BURST; count++) limiter.take(id, address);
  };

  it('of machines by token is answered with 429 and a pause, and the token stays good', async () => {
    const { token } = await newToken();
    flood('enr_elsewhere', '127.0.0.1');
    const refused = await enrol(token);
    expect(refused.body).toMatchObject({ status: 429, code: 'tooManyRequests', hint: 'Try again in 1 s; the token is still good.' });
    expect(refused.headers.get('retry-after')).toBe('1');
    skippedMs += 1_000;
    expect((await enrol(token)).status).toBe(201);
  });

  it('of new workers is held up by key, while those known come back', async () => {
    const { id, secret } = await harness.createKey('worker', 'lab');
    const known = await harness.agent({ key: secret });
    flood(id, '203.0.113.7');
    const newcomer = new FakeAgent({ url: harness.controlPlane.url, key: secret });
    await newcomer.connect();
    expect(await newcomer.call('worker:hello', newcomer.helloMessage())).toMatchObject({
      error: { code: 'unavailable', detail: 'Too many new workers came with this key or from this address; try again in 1 s.' },
    });
    await eventually('it is told to come later', () => newcomer.closings.length > 0 && !newcomer.isConnected);
    expect(newcomer.closings).toMatchObject([{ reason: 'flood' }]);
    const { workerId } = known;
    await known.reconnect();
    expect((await known.hello()).workerId).toBe(workerId);
    const other = await harness.createKey('worker', 'lab');
    (await harness.agent({ key: other.secret })).leave();
    skippedMs += 1_000;
    await newcomer.reconnect();
    expect((await newcomer.hello()).workerId).toMatch(/^wkr_/);
    newcomer.leave();
    known.leave();
  });

  it('ends at the workers that one key may have', async () => {
    const { id, secret } = await harness.createKey('worker', 'lab');
    await harness.database.execute(MANY_WORKERS, [id, LIMITS.workersPerKeyMax]);
    const newcomer = new FakeAgent({ url: harness.controlPlane.url, key: secret });
    await newcomer.connect();
    expect(await newcomer.call('worker:hello', newcomer.helloMessage())).toMatchObject({ error: { detail: 'This key has 10000 workers, and no more are taken. Make another key.' } });
    newcomer.leave();
  });

  it('fills up again at its rate, for each key and address by itself', () => {
    let nowMs = 0;
    const limiter = new RegistrationLimiter({ ...clock, monotonicMs: () => nowMs });
    const takenOf = (id: string, address: string, count: number): number =>
      Array.from({ length: count }, () => limiter.take(id, address)).filter((wait) => wait === undefined).length;
    expect(takenOf('key_a', '203.0.113.1', REGISTRATIONS_BURST + 500)).toBe(REGISTRATIONS_BURST);
    expect(takenOf('key_b', '203.0.113.1', 1)).toBe(0);
    expect(takenOf('key_a', '203.0.113.2', 1)).toBe(0);
    expect(takenOf('key_b', '203.0.113.2', 1)).toBe(1);
    nowMs = 2_000;
    expect(takenOf('key_a', '203.0.113.1', 500)).toBe(2 * REGISTRATIONS_PER_SECOND);
  });
});
