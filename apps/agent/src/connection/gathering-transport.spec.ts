import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { toId } from '@muster/protocol';
import { createLogger, createSystemClock } from '@muster/runtime';
import { eventually, FakeControlPlane } from '@muster/testing';
import { ControlPlaneLink } from './control-plane-link.js';

describe('what an agent says', () => {
  let plane: FakeControlPlane;
  let link: ControlPlaneLink;
  let sends: () => number;

  beforeEach(async () => {
    plane = await FakeControlPlane.start();
    link = new ControlPlaneLink({
      url: plane.url,
      key: () => 'wak_01TESTKEY',
      connectTimeoutMs: 5_000,
      retryIntervalMs: 50,
      retryMaxMs: 200,
      clock: createSystemClock(),
      logger: createLogger({ name: 'agent', level: 'silent' }),
    });
    link.start({
      connected: () => undefined,
      disconnected: () => undefined,
      refused: () => undefined,
      said: () => undefined,
    });
    await eventually('a connection', () => link.status.state === 'connected');
    await link.request('worker:hello', aHello(), 30_000);
    const port = Number(new URL(plane.url).port);
    const spies = [jest.spyOn(Socket.prototype, '_write'), jest.spyOn(Socket.prototype, '_writev' as '_write')];
    const countOurs = (contexts: readonly unknown[]): number =>
      contexts.filter((by) => by instanceof Socket && by.remotePort === port).length;
    sends = () => spies.reduce((sum, { mock }) => sum + countOurs(mock.contexts), 0);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    link.stop();
    await plane.stop();
  });

  const ask = (number: number): Promise<unknown> => link.request('attempt:start', refOf(number), 30_000);

  it('in one turn goes out as one piece, and each is answered', async () => {
    const asked = [ask(1), ask(2)];
    process.nextTick(() => asked.push(ask(3)));
    await nextTurn();
    expect(sends()).toBe(1);
    expect(await Promise.all(asked)).toEqual(Array(3).fill({ ok: { kind: 'go', leaseMs: 300_000 } }));
    expect(plane.starts.map(({ attemptId }) => attemptId)).toEqual([1, 2, 3].map((number) => refOf(number).attemptId));
  }, 60_000);

  it('alone goes out in its turn', async () => {
    const asked = ask(1);
    await nextTurn();
    expect(sends()).toBe(1);
    await asked;
  }, 60_000);

  it('last arrives, although the link is stopped in the same turn', async () => {
    const asked = expect(ask(1)).rejects.toThrow('not answered');
    link.stop();
    await eventually('it arrived', () => plane.starts.length === 1);
    await asked;
  }, 60_000);
});

function refOf(number: number) {
  return { attemptId: toId('att', number, Buffer.alloc(10)), epoch: 1 };
}

function aHello() {
  return {
    protocolVersion: '1.0',
    agentVersion: '0.1.0',
    machineId: 'machine',
    instanceId: '0000000001-x',
    session: 0,
    bootId: 'boot',
    name: 'box',
    slots: 1,
    inventory: {} as never,
    executions: [],
  };
}
