import { createServer, type Server } from 'node:net';
import { anyFreePort, isPortFree, nextFreePort } from './free-port.js';

async function listenOn(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

describe('a free port', () => {
  it('is one that a server can take, and is no longer free then', async () => {
    const port = await anyFreePort();
    const server = await listenOn(port);
    expect(await isPortFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
  });

  it('is the next one when the wanted one is taken', async () => {
    const server = await listenOn(0);
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const next = await nextFreePort(port);
    expect(next).not.toBe(port);
    expect(await isPortFree(next)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('is any one for port 0', async () => {
    expect(await nextFreePort(0)).toBeGreaterThan(0);
  });

  it('is found even at the end of the range', async () => {
    expect(await nextFreePort(65_536)).toBeGreaterThan(0);
  });
});
