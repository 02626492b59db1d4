import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { GatheredWrites } from './gathered-writes.js';

const PRE_SHARED = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
const KEY = Buffer.alloc(32, 7);

interface Kind {
  readonly name: string;
  readonly serve: () => Server;
  readonly connect: (port: number) => Socket;
  readonly connected: string;
}

const KINDS: readonly Kind[] = [
  { name: 'TCP', serve: () => createServer(), connect: (port) => connect(port, '127.0.0.1'), connected: 'connect' },
  {
    name: 'TLS',
    serve: () => createTlsServer({ ...PRE_SHARED, pskCallback: () => KEY }),
    connect: (port) =>
      connectTls({
        ...PRE_SHARED,
        host: '127.0.0.1',
        port,
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ psk: KEY, identity: 'spec' }),
      }),
    connected: 'secureConnect',
  },
];

/** How often the stream hands bytes to the system from now on. */
function countSends(socket: Socket): () => number {
  const spies = [jest.spyOn(socket, '_write'), jest.spyOn(socket, '_writev' as '_write')];
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

describe.each(KINDS)('writes gathered on $name', ({ serve, connect: open, connected }) => {
  let server: Server;
  let socket: Socket;
  let writes: GatheredWrites;
  let sends: () => number;
  let received = '';
  let isEnded = false;

  beforeEach(async () => {
    received = '';
    isEnded = false;
    server = serve();
    const take = (peer: Socket): void => {
      peer.setEncoding('utf8').on('data', (text: string) => (received += text));
      peer.on('end', () => (isEnded = true)).on('error', () => undefined);
    };
    server.on(connected === 'connect' ? 'connection' : 'secureConnection', take);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    socket = open((server.address() as AddressInfo).port);
    await once(socket, connected);
    writes = new GatheredWrites(socket);
    sends = countSends(socket);
  });
  afterEach(async () => {
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const write = (text: string): void => {
    writes.gather();
    socket.write(text);
  };
  const arrives = async (text: string): Promise<void> => {
    while (received !== text) await nextTurn();
  };

  it('sends what one turn wrote as one piece and in order, also what came by other ways and was corked meanwhile', async () => {
    write('answer,');
    void Promise.resolve().then(() => {
      write('promise,');
      process.nextTick(() => write('next tick'));
    });
    socket.cork();
    write('head,');
    socket.write('body,');
    socket.uncork();
    await arrives('answer,head,body,promise,next tick');
    expect(sends()).toBe(1);
  });

  it('holds a message that is alone for no longer than its turn', async () => {
    write('alone');
    const sentAtEnd = new Promise<number>((resolve) => setImmediate(() => resolve(sends())));
    expect(sends()).toBe(0);
    expect(await sentAtEnd).toBe(1);
    await nextTurn();
    write(', again');
    await nextTurn();
    expect(sends()).toBe(2);
    await arrives('alone, again');
  });

  it('sends at once what is asked for at once, and gathers again after that', async () => {
    write('first,');
    writes.sendNow();
    expect(sends()).toBe(1);
    write('second,');
    write('third');
    await arrives('first,second,third');
    expect(sends()).toBe(2);
    writes.sendNow();
    expect(socket.writableCorked).toBe(0);
  });

  it('sends what was gathered when the socket is ended', async () => {
    write('last words');
    socket.end();
    await arrives('last words');
    while (!isEnded) await nextTurn();
  });
});
