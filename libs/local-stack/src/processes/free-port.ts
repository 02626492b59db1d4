import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Whether a server could listen there now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first free port from `first` on; any free one for 0, and when the next hundred are taken. */
export async function nextFreePort(first: number, host = '127.0.0.1'): Promise<number> {
  if (first === 0) return anyFreePort(host);
  for (let port = first; port < Math.min(first + 100, 65_536); port += 1) {
    if (await isPortFree(port, host)) return port;
  }
  return anyFreePort(host);
}

/**
 * Ports that no kernel gives to an outgoing connection unless told to: what is free here stays free until its caller
 * listens, but for others who choose a port as we do.
 */
const QUIET_PORTS = { from: 15_000, to: 32_000 } as const;
const TRIES_MOST = 50;

/** A port that nobody listens on at this moment. Another program may take it before the caller does: be ready to ask again. */
export async function anyFreePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < TRIES_MOST; tries += 1) {
    const port = randomInt(QUIET_PORTS.from, QUIET_PORTS.to);
    if (await isPortFree(port, host)) return port;
  }
  return portOfTheKernel(host);
}

function portOfTheKernel(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host, exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
