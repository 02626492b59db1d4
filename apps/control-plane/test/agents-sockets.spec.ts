import { request } from 'node:http';
import { eventually, FakeAgent, type HandshakeRefused } from '@muster/testing';
import { PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import { Manager, type Socket } from 'socket.io-client';
import { sql } from '../src/database/sql.js';
import { AgentSessions } from '../src/sockets/agent-sessions.js';
import { SocketAuth } from '../src/sockets/socket-auth.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { countLooksAtKeys } from './looks-at-keys.js';

jest.setTimeout(180_000);

const MACHINE = sql`select id from worker where machine_id = $1`;
const REVOKE = sql`update api_key set revoked_at = now() where id = $1`;

describe('the agents\' namespace', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  const newAgent = (changes: Partial<FakeAgent['options']> = {}): FakeAgent =>
    new FakeAgent({ url: harness.controlPlane.url, key: harness.workerKey, ...changes });

  async function refusalOf(agent: FakeAgent): Promise<HandshakeRefused> {
    try {
      await agent.connect();
    } catch (error) {
      return error as HandshakeRefused & Error;
    }
    throw new Error('The handshake was accepted.');
  }

  /** What an agent that says nothing wrong before this is answered. */
  async function answerTo(event: string, body: unknown): Promise<unknown> {
    const agent = await harness.agent();
    const ack = await agent.call(event, body);
    agent.leave();
    return ack;
  }
  /** Without the types of the protocol, which forbid what is said here. */
  const rawSocketOf = (agent: FakeAgent): Socket => agent.socket;
  /**
   * Whether the next refused transport was closed before a timer that began in the moment of its refusal: both are of this
   * process and come in their order, however busy the machine is.
   */
  function closingInTime(timeMs: number): () => boolean {
    const auth = harness.controlPlane.app.get(SocketAuth);
    let isLate = false;
    let wasInTime = false;
    const closeSoon = jest.spyOn(auth, 'closeSoon').mockImplementationOnce((socket) => {
      closeSoon.mockRestore();
      setTimeout(() => (isLate = true), timeMs).unref();
      const { conn } = socket;
      const close = conn.close.bind(conn);
      jest.spyOn(conn, 'close').mockImplementationOnce((discard) => {
        wasInTime = !isLate;
        close(discard);
      });
      auth.closeSoon(socket);
    });
    return () => wasInTime;
  }
  const INVALID = { error: { code: 'invalidMessage', detail: expect.any(String) } };
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

  it.each([
    ['no key', () => ''],
    ['a text that is no key', () => 'wak_nonsense'],
    ['a key that is cut off', () => harness.workerKey.slice(0, -3)],
    ['a key whose last letters are others', () => `${harness.workerKey.slice(0, -4)}AAAA`],
  ])('refuses %s, and closes the transport within a second although the client keeps it', async (_what, key) => {
    // A client of the whole library would close its end by itself.
    const manager = new Manager(harness.controlPlane.url, { transports: ['websocket'], reconnection: false });
    await new Promise<void>((resolve) => manager.once('open', () => resolve()));
    const heard: string[] = [];
    manager.engine.on('data', (data: unknown) => heard.push(String(data)));
    const wasInTime = closingInTime(1_000);
    manager.engine.send(`0/agent,${JSON.stringify({ key: key(), protocolVersion: PROTOCOL_VERSION_TEXT })}`);
    await eventually('the transport is closed', () => manager.engine.readyState === 'closed');
    expect(wasInTime()).toBe(true);
    expect(heard.join()).toContain('unauthenticated');
  });

  it('refuses the key of a person, saying which role is needed', async () => {
    const { secret } = await harness.createKey('operator');
    expect(await refusalOf(newAgent({ key: secret }))).toMatchObject({ code: 'unauthenticated', detail: expect.stringContaining('worker') });
  });

  it('refuses another major version of the protocol, naming both', async () => {
    const refusal = await refusalOf(newAgent({ protocolVersion: '2.0' }));
    expect(refusal).toMatchObject({ code: 'protocolVersion' });
    expect(refusal.detail).toContain(PROTOCOL_VERSION_TEXT);
    expect(refusal.detail).toContain('2.0');
  });

  it('refuses pages of other sites before anything is upgraded', async () => {
    const { port } = new URL(harness.controlPlane.url);
    const status = await new Promise((resolve, reject) => {
      const headers = {
        Origin: 'https://evil.example', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      };
      const asked = request({ host: '127.0.0.1', port, path: '/socket.io/?EIO=4&transport=websocket', headers });
      asked.on('response', (response) => resolve(response.statusCode)).on('upgrade', () => resolve(101)).on('error', reject).end();
    });
    expect(status).not.toBe(101);
  });

  it('answers nothing but hello before hello', async () => {
    const agent = newAgent();
    await agent.connect();
    const beat = { session: 1, executions: [], sample: null, paused: false, slotsFree: 1 };
    expect(await agent.call('worker:beat', beat)).toMatchObject({ error: { code: 'notSynced' } });
    agent.leave();
  });

  it.each([
    ['a NUL character', () => ({ reason: 'noSlot', other: 'a\u0000b' })],
    ['half a surrogate pair', () => ({ reason: 'noSlot', other: 'a\ud800b' })],
    ['a reason that is none', () => ({ reason: 'bored' })],
    ['an epoch that is no number', () => ({ reason: 'noSlot', epoch: '1' })],
    ['nesting of 40 levels', () => ({ reason: 'noSlot', detail: nested(40) })],
    ['three thousand keys', () => Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`key${index}`, index]))],
  ])('refuses a message with %s, and the socket lives on', async (_what, changes) => {
    const agent = await harness.agent();
    const ref = { attemptId: 'att_00000000000000000000000000', epoch: 1 };
    expect(await agent.call('attempt:refuse', { ...ref, ...changes() })).toEqual(INVALID);
    expect(await agent.beat()).toMatchObject({ verdicts: [] });
    agent.leave();
  });

  it('refuses a message nested 100,000 levels deep, which the client could not even send', async () => {
    const agent = await harness.agent();
    const { engine } = agent.socket.io;
    const heard: string[] = [];
    engine.on('data', (data: unknown) => heard.push(String(data)));
    const depth = 100_000;
    engine.send(`2/agent,9["attempt:progress",{"message":${'['.repeat(depth)}${']'.repeat(depth)}}]`);
    await eventually('it is refused', () => heard.some((data) => data.startsWith('3/agent,9') && data.includes('invalidMessage')));
    expect(await agent.beat()).toMatchObject({ verdicts: [] });
    agent.leave();
  });

  it.each([['a text'], [7], [null], [[]], [true]])('refuses the body %j', async (body) => {
    expect(await answerTo('worker:beat', body)).toEqual(INVALID);
  });

  it('names the field, what was expected and what was found', async () => {
    const beat = { session: 1, executions: [{ attemptId: 'job_1', epoch: 1, state: 'running' }], sample: null, paused: false, slotsFree: 1 };
    expect(await answerTo('worker:beat', beat)).toEqual({
      error: { code: 'invalidMessage', detail: 'executions[0].attemptId: expected an id beginning with att_, found "job_1"' },
    });
  });

  it.each([
    [[-1], 'gpusHeld[0]: expected a whole number from 0 to 1000, found -1'],
    [['GPU-5f'], 'gpusHeld[0]: expected a whole number from 0 to 1000, found "GPU-5f"'],
    [7, 'gpusHeld: expected a list of at most 64 entries, found 7'],
    [Array.from({ length: 65 }, (_, index) => index), 'gpusHeld: expected a list of at most 64 entries, found an array'],
  ])('refuses %j as the GPUs that are held, by name', async (gpusHeld, detail) => {
    const beat = { session: 1, executions: [], sample: null, paused: false, slotsFree: 1, gpusHeld };
    expect(await answerTo('worker:beat', beat)).toEqual({ error: { code: 'invalidMessage', detail } });
  });

  it('closes a socket that sends more than a megabyte at once', async () => {
    const agent = await harness.agent();
    rawSocketOf(agent).emit('attempt:progress', 'x'.repeat(1_200_000));
    await eventually('it is closed', () => !agent.isConnected);
  });

  it('closes a socket that asks for an event there is not, saying so', async () => {
    const agent = await harness.agent();
    rawSocketOf(agent).emit('attempt:steal', {});
    await eventually('it is closed', () => !agent.isConnected);
    expect(agent.closings).toMatchObject([{ reason: 'unknownEvent' }]);
  });

  it('closes a socket that floods it with beats, while others are served', async () => {
    const calm = await harness.agent();
    const agent = await harness.agent();
    for (let count = 0; count < 3_000; count += 1) void agent.beat().catch(() => undefined);
    await eventually('it is closed', () => !agent.isConnected);
    expect(agent.closings).toMatchObject([{ reason: 'flood' }]);
    expect(await calm.beat()).toMatchObject({ verdicts: [] });
    calm.leave();
  });

  it('closes the older of two agents with one identity and tells it why', async () => {
    const older = await harness.agent();
    const newer = newAgent({ machineId: older.machineId });
    await newer.connect();
    const ack = await newer.hello();
    expect(ack).toMatchObject({ workerId: older.workerId, session: older.session + 1 });
    await eventually('the older one is closed', () => !older.isConnected);
    expect(older.closings).toMatchObject([{ reason: 'superseded' }]);
    expect(await newer.beat()).toMatchObject({ verdicts: [] });
    newer.leave();
  });

  it('closes a socket that says hello as a second machine, and keeps nothing of it', async () => {
    const agent = await harness.agent();
    const first = agent.workerId;
    const sessions = harness.controlPlane.app.get(AgentSessions);
    agent.hello([], { machineId: 'another-machine' }).catch(() => undefined);
    await eventually('it is closed', () => !agent.isConnected);
    expect(agent.closings).toMatchObject([{ reason: 'invalidMessage' }]);
    await eventually('its session is gone', () => first !== undefined && sessions.get(first) === undefined);
    expect(await harness.database.query(MACHINE, ['another-machine'])).toEqual([]);
  });

  it('knows a machine again after a restart of its agent, and tells a reconnect from it', async () => {
    const agent = await harness.agent();
    const { workerId, session } = agent;
    await agent.reconnect();
    expect(await agent.hello()).toMatchObject({ workerId, session });
    expect(await agent.restart()).toMatchObject({ workerId, session: session + 1 });
    agent.leave();
  });

  it('closes the sockets of a key within two seconds of its revocation, also when nobody announced it', async () => {
    const { id, secret } = await harness.createKey('worker', 'short-lived');
    const agent = await harness.agent({ key: secret });
    await harness.database.execute(REVOKE, [id]);
    const looks = countLooksAtKeys(harness.controlPlane, id);
    await eventually('it is closed', () => !agent.isConnected);
    expect(looks()).toBeLessThanOrEqual(1);
    jest.restoreAllMocks();
    expect(agent.closings).toMatchObject([{ reason: 'keyRevoked' }]);
    // A verified key is believed for at most two seconds more.
    await eventually('it is refused', async () => (await refusalOf(newAgent({ key: secret }))).code === 'unauthenticated');
  });

  it('never lets one worker touch another\'s attempt', async () => {
    const owner = await harness.agent({ slots: 1 });
    const thief = await harness.agent({ slots: 0 });
    const jobId = await harness.submit();
    const offer = await owner.nextOffer();
    expect(await thief.start(offer)).toMatchObject({ kind: 'no' });
    await owner.start(offer);
    expect(await thief.end(offer)).toEqual({ kind: 'superseded' });
    expect(await harness.job(jobId)).toMatchObject({ status: 'running' });
    await owner.end(offer);
    owner.leave();
    thief.leave();
  });

  // Last: from here on this address has used up its refusals.
  it('answers too many refused keys of one address shortly, and still takes a good one', async () => {
    const codes = [];
    for (let count = 0; count < 12; count += 1) codes.push((await refusalOf(newAgent({ key: 'wak_nonsense' }))).code);
    expect(codes.at(-1)).toBe('flood');
    const agent = await harness.agent();
    expect(await agent.beat()).toMatchObject({ verdicts: [] });
    agent.leave();
  });
});
