import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from '../eventually.js';
import { FaultProxy } from './fault-proxy.js';

/** An end of a connection that remembers what it heard and how it was ended. */
class Ear {
  heard = '';
  end: 'open' | 'ended' | 'reset' = 'open';

  constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (text: string) => (this.heard += text));
    socket.on('end', () => (this.end = 'ended'));
    socket.on('error', () => (this.end = 'reset'));
  }
}

describe('a fault proxy', () => {
  let target: Server;
  let proxy: FaultProxy;
  let arrived: Ear[];
  let clients: Ear[];
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;

  beforeEach(async () => {
    [arrived, clients] = [[], []];
    target = createServer({ allowHalfOpen: true }, (socket) => arrived.push(new Ear(socket)));
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    proxy = await FaultProxy.open({ targets: () => [portOf(target)], random: () => 1 });
  });
  afterEach(async () => {
    for (const { socket } of [...arrived, ...clients]) socket.destroy();
    await proxy.close();
    await new Promise((resolve) => target.close(resolve));
  });

  async function pair(): Promise<[client: Ear, server: Ear]> {
    const [before, known] = [arrived.length, proxy.connections.length];
    const client = new Ear(connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true }));
    clients.push(client);
    const server = await eventually('the connection arrived', () => arrived[before]);
    await eventually('the proxy knows of it', () => proxy.connections.length > known);
    return [client, server];
  }
  const hears = (ear: Ear, text: string) => eventually(`it hears ${text.length} bytes`, () => ear.heard === text);

  it('passes bytes both ways, and each end of speech by itself', async () => {
    const [client, server] = await pair();
    client.socket.end('question');
    await hears(server, 'question');
    await eventually('the end of speech arrived', () => server.end === 'ended');
    server.socket.end('answer');
    await hears(client, 'answer');
    await eventually('the connection is forgotten', () => proxy.connections.length === 0);
  });

  it('delays and keeps the order, in one direction only', async () => {
    const [client, server] = await pair();
    proxy.shape('toServer', { delayMs: 800, jitterMs: 100 });
    let heardBefore: string | undefined;
    client.socket.once('data', () => (heardBefore = server.heard));
    const begunMs = performance.now();
    for (const letter of 'abcdef') client.socket.write(letter);
    server.socket.write('quick');
    await hears(client, 'quick');
    expect(heardBefore).toBe('');
    await hears(server, 'abcdef');
    expect(performance.now() - begunMs).toBeGreaterThanOrEqual(899);
  });

  it('throttles to a number of bytes a second', async () => {
    const [client, server] = await pair();
    proxy.shape('toServer', { bytesPerSecond: 10_000 });
    const begunMs = performance.now();
    for (let i = 0; i < 5; i++) {
      client.socket.write('x'.repeat(1_000));
      await hears(server, 'x'.repeat(1_000 * (i + 1)));
    }
    expect(performance.now() - begunMs).toBeGreaterThan(390);
  });

  it('lets nothing through a cut, not even an end, and everything in order when it is over', async () => {
    const [client, server] = await pair();
    proxy.shape('toServer', { isCut: true });
    client.socket.write('lost?');
    client.socket.end('no');
    server.socket.write('heard');
    await hears(client, 'heard');
    expect([server.heard, server.end]).toEqual(['', 'open']);
    proxy.heal();
    await hears(server, 'lost?no');
    await eventually('the end of speech arrived', () => server.end === 'ended');
  });

  it('holds the news that one end broke off while that direction is cut', async () => {
    const [client, server] = await pair();
    const [later, laterServer] = await pair();
    proxy.shape('toServer', { isCut: true });
    client.socket.resetAndDestroy();
    await new Promise((resolve) => client.socket.once('close', resolve));
    laterServer.socket.resetAndDestroy();
    await eventually('the other direction tells what happened after it', () => later.end === 'reset');
    expect(server.end).toBe('open');
    proxy.heal();
    await eventually('the news arrived', () => server.end === 'reset');
  });

  it('cuts connections that come later too', async () => {
    proxy.shape('toClient', { isCut: true });
    const [client, server] = await pair();
    client.socket.write('question');
    await hears(server, 'question');
    server.socket.write('answer');
    const [other] = await pair();
    expect([client.heard, other.heard]).toEqual(['', '']);
    proxy.heal();
    await hears(client, 'answer');
  });

  it('holds back a sender who says more than the wire can keep', async () => {
    const [client] = await pair();
    proxy.shape('toServer', { isCut: true });
    // More than the kernel's own windows on both sides of the proxy.
    client.socket.write(Buffer.alloc(64 * 1024 * 1024));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(client.socket.writableLength).toBeGreaterThan(0);
  });

  it('ends one side and leaves the other waiting when half open', async () => {
    const [client, server] = await pair();
    proxy.halfOpen('server');
    await eventually('the server was told', () => server.end === 'reset');
    client.socket.write('is anybody there?');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([client.end, client.heard]).toEqual(['open', '']);
    const [, next] = await pair();
    clients.at(-1)?.socket.write('again');
    await hears(next, 'again');
  });

  it('resets both sides at once', async () => {
    const [client, server] = await pair();
    proxy.reset();
    await eventually('both were told', () => client.end === 'reset' && server.end === 'reset');
  });

  it('resets in the middle of a message, after so many bytes', async () => {
    const [client, server] = await pair();
    proxy.connections[0]?.resetAfter('toServer', 4);
    client.socket.write('half a message');
    // Node takes a reset right after bytes for an end of speech.
    await eventually('both were told', () => client.end !== 'open' && server.end !== 'open');
    expect('half'.startsWith(server.heard)).toBe(true);
  });

  it('takes a reset to come back when it is healed', async () => {
    const [client, server] = await pair();
    const [connection] = proxy.connections;
    proxy.resetAfter('toServer', 4);
    proxy.heal();
    client.socket.write('more than four');
    await hears(server, 'more than four');
    expect(connection?.wasReset).toBe(false);
    proxy.resetAfter('toServer', 4);
    client.socket.write('more');
    await eventually('it was reset', () => connection?.wasReset === true);
  });

  it('takes the next target where one refuses, and resets the client where all do', async () => {
    await proxy.close();
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const dead = portOf(closed);
    await new Promise((resolve) => closed.close(resolve));
    let ports = [dead, portOf(target)];
    proxy = await FaultProxy.open({ targets: () => ports });
    const [client, server] = await pair();
    client.socket.write('found');
    await hears(server, 'found');
    ports = [dead];
    const refused = new Ear(connect({ host: '127.0.0.1', port: proxy.port }));
    clients.push(refused);
    await eventually('it was refused', () => refused.end === 'reset');
  });
});
