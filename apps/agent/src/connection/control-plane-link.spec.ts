import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { DisconnectReason } from '@muster/protocol';
import { createLogger, createSystemClock } from '@muster/runtime';
import { eventually, FakeControlPlane } from '@muster/testing';
import { ControlPlaneLink, NoAnswer, type LinkListener, type ServerMessage } from './control-plane-link.js';

const KEY = 'wak_01TESTKEY';

class Listener implements LinkListener {
  connects = 0;
  readonly losses: string[] = [];
  readonly refusals: { reason: DisconnectReason; detail: string }[] = [];
  readonly messages: ServerMessage[] = [];
  connected = (): void => {
    this.connects += 1;
  };
  disconnected = (detail: string): void => {
    this.losses.push(detail);
  };
  refused = (reason: DisconnectReason, detail: string): void => {
    this.refusals.push({ reason, detail });
  };
  said = (message: ServerMessage): void => {
    this.messages.push(message);
  };
}

describe('the link to the control plane', () => {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  });

  const linkTo = (url: string, given: { connectTimeoutMs?: number } = {}) => {
    const link = new ControlPlaneLink({
      url,
      key: () => KEY,
      connectTimeoutMs: 5_000,
      retryIntervalMs: 50,
      retryMaxMs: 200,
      clock: createSystemClock(),
      logger: createLogger({ name: 'agent', level: 'silent' }),
      ...given,
    });
    const listener = new Listener();
    endings.push(() => link.stop());
    link.start(listener);
    return { link, listener };
  };

  const fake = async (...options: Parameters<typeof FakeControlPlane.start>): Promise<FakeControlPlane> => {
    const plane = await FakeControlPlane.start(...options);
    endings.push(() => plane.stop());
    return plane;
  };

  const listening = async (server: Server): Promise<string> => {
    const open = new Set<Socket>();
    server.on('connection', (socket: Socket) => open.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endings.push(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  const ref = { attemptId: 'att_00000000000000000000000001', epoch: 1 } as never;

  it('comes back by itself after every loss', async () => {
    const plane = await fake();
    const { listener } = linkTo(plane.url);
    for (let round = 1; round <= 3; round += 1) {
      await eventually('a connection', () => listener.connects === round);
      plane.disconnectAll();
      await eventually('the loss is noticed', () => listener.losses.length === round);
    }
    await eventually('another connection', () => listener.connects === 4);
  }, 60_000);

  it('says when it will try again', async () => {
    const plane = await fake();
    await plane.stop();
    const { link, listener } = linkTo(plane.url);
    const status = await eventually('it waits', () => link.status.state === 'waiting' && link.status);
    expect(Date.parse(status.nextTryAt)).toBeGreaterThan(Date.now() - 10_000);
    expect(status.lastFailure).toContain('ECONNREFUSED');
    await plane.listen();
    await eventually('a connection', () => listener.connects === 1);
  }, 60_000);

  it('gives up a server that takes the connection and never answers', async () => {
    const url = await listening(createTcpServer());
    const { link } = linkTo(url, { connectTimeoutMs: 200 });
    const status = await eventually('it waits', () => link.status.state === 'waiting' && link.status);
    expect(status.lastFailure).toContain('timeout');
  }, 60_000);

  it('tells a refused key from an unreachable server', async () => {
    const plane = await fake({ keys: ['wak_other'] });
    const { listener } = linkTo(plane.url);
    await eventually('the refusal', () => listener.refusals.length > 0);
    expect(listener.refusals[0]).toEqual({ reason: 'unauthenticated', detail: 'No such key.' });
  }, 60_000);

  it.each([401, 403])(
    'takes HTTP %d from a gateway in front for a refused key',
    async (status) => {
      const url = await listening(
        createServer().on('upgrade', (_request, socket) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)),
      );
      const { listener } = linkTo(url);
      await eventually('the refusal', () => listener.refusals[0]?.reason === 'unauthenticated');
    },
    60_000,
  );

  it('keeps trying behind a gateway that answers 502', async () => {
    const url = await listening(
      createServer().on('upgrade', (_request, socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')),
    );
    const { link, listener } = linkTo(url);
    const status = await eventually('it waits', () => link.status.state === 'waiting' && link.status);
    expect(status.lastFailure).toContain('502');
    expect(listener.refusals).toEqual([]);
  }, 60_000);

  it('hears what has the agreed shape and drops the rest', async () => {
    const plane = await fake();
    const { link, listener } = linkTo(plane.url);
    await eventually('a connection', () => listener.connects === 1);
    await link.request('worker:hello', aHello(), 5_000);
    for (const nonsense of [null, 7, {}, { attemptId: 'att_x', epoch: 1 }, { ...Object(ref), spec: { run: {} } }])
      plane.offer(nonsense as never);
    plane.withdraw(ref);
    await eventually('a message', () => listener.messages.length > 0);
    expect(listener.messages).toEqual([{ event: 'attempt:withdraw', body: ref }]);
    expect(link.status.state).toBe('connected');
  }, 60_000);

  it('answers every request, also one whose connection ended or whose answer never comes', async () => {
    const plane = await fake();
    const { link, listener } = linkTo(plane.url);
    await expect(link.request('attempt:start', ref, 5_000)).rejects.toThrow(NoAnswer);
    await eventually('a connection', () => listener.connects === 1);
    expect(await link.request('attempt:start', ref, 5_000)).toEqual({
      error: { code: 'notSynced', detail: 'Say hello first.' },
    });
    plane.faults = { drop: () => 'reply' };
    await expect(link.request('attempt:start', ref, 100)).rejects.toThrow(NoAnswer);
    const asked = link.request('attempt:start', ref, 30_000);
    plane.disconnectAll();
    await expect(asked).rejects.toThrow(NoAnswer);
  }, 60_000);
});

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
