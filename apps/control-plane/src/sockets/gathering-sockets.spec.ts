import { createServer } from 'node:http';
import { Socket as TcpSocket, type AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventually } from '@muster/testing';
import { Server, type Socket } from 'socket.io';
import { WebSocket } from 'ws';
import { GatheringWebSockets } from './gathering-sockets.js';

describe('the sockets of agents', () => {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false, wsEngine: GatheringWebSockets });
  const heard: string[] = [];
  let agent: WebSocket;
  let socket: Socket;
  let sends: () => number;

  beforeAll(() => new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve)));
  afterAll(() => io.close());

  beforeEach(async () => {
    heard.length = 0;
    const { port } = http.address() as AddressInfo;
    const connected = new Promise<Socket>((resolve) => io.once('connection', resolve));
    agent = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    agent.on('open', () => agent.send('40')).on('message', (data) => heard.push(String(data)));
    socket = await connected;
    await eventually('the greeting has arrived', () => heard.some((text) => text.startsWith('40')));
    heard.length = 0;
    const spies = [jest.spyOn(TcpSocket.prototype, '_write'), jest.spyOn(TcpSocket.prototype, '_writev' as '_write')];
    const countOurs = (contexts: readonly unknown[]): number => contexts.filter((by) => by instanceof TcpSocket && by.localPort === port).length;
    sends = () => spies.reduce((sum, { mock }) => sum + countOurs(mock.contexts), 0);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    agent.terminate();
    socket.disconnect(true);
  });

  const arrived = (count: number): Promise<unknown> => eventually(`${count} messages`, () => heard.length === count);

  it('tell an agent in one piece what one turn says: an answer, what follows it, and what is said after the answers', async () => {
    // As an engine does that offers what it committed after the answers.
    setImmediate(() => socket.emit('offer', 3));
    socket.emit('answer', 1);
    void Promise.resolve().then(() => socket.emit('answer', 2));
    await arrived(3);
    expect(heard).toEqual(['42["answer",1]', '42["answer",2]', '42["offer",3]']);
    expect(sends()).toBe(1);
  });

  it('tell a message that is alone in its turn', async () => {
    socket.emit('alone');
    await nextTurn();
    expect(sends()).toBe(1);
    await arrived(1);
  });

  it('still say that they wait for an agent that does not read, and go on in order when it does', async () => {
    let unread = 0;
    socket.conn.on('packetCreate', () => (unread += 1)).on('drain', () => (unread = 0));
    agent.pause();
    let said = 0;
    const filler = 'x'.repeat(256 * 1024);
    for (; said < 1_000 && unread < 20; said += 1) {
      socket.emit('much', said, filler);
      await nextTurn();
    }
    expect(unread).toBe(20);
    agent.resume();
    await arrived(said);
    expect(heard.map((text) => Number(/\d+/.exec(text.slice(2))?.[0]))).toEqual(Array.from({ length: said }, (_, index) => index));
    expect(unread).toBe(0);
  }, 60_000);

  it('tell the last words of a turn before they close', async () => {
    const closed = new Promise((resolve) => agent.on('close', resolve));
    socket.emit('closing', 'because');
    socket.disconnect(true);
    await closed;
    expect(heard[0]).toBe('42["closing","because"]');
  });
});
