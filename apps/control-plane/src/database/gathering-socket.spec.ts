import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { GatheringSocket } from './gathering-socket.js';

/** Counts how often the stream hands bytes to the system. */
class CountingSocket extends GatheringSocket {
  sends = 0;

  override _write(...args: Parameters<GatheringSocket['_write']>): void {
    this.sends += 1;
    super._write(...args);
  }

  override _writev(...args: Parameters<NonNullable<GatheringSocket['_writev']>>): void {
    this.sends += 1;
    super._writev?.(...args);
  }
}

describe('a socket to PostgreSQL', () => {
  let received = '';
  const server = createServer((socket) => socket.setEncoding('utf8').on('data', (text: string) => (received += text)).pipe(socket));
  let socket: CountingSocket;

  beforeEach(async () => {
    received = '';
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    socket = new CountingSocket();
    socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
  });
  afterEach(async () => {
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const echoed = async (text: string): Promise<void> => {
    while (received !== text) await once(socket, 'data');
  };

  it('sends what one turn wrote as one piece and in order, also what others corked and uncorked meanwhile', async () => {
    socket.write('begin;');
    socket.cork();
    socket.write('bind;');
    socket.write('execute;');
    socket.uncork();
    socket.write('sync;');
    await echoed('begin;bind;execute;sync;');
    expect(socket.sends).toBe(1);
  });

  it('sends at the end of the turn and tells when it has', async () => {
    await new Promise<void>((resolve) => socket.write('alone', () => resolve()));
    expect(socket.sends).toBe(1);
    socket.write('+1');
    await echoed('alone+1');
    expect(socket.sends).toBe(2);
  });
});
