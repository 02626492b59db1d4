import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { JobView, Problem } from '@muster/protocol';
import { createLogger } from '@muster/runtime';
import { eventually } from '@muster/testing';
import { configWith } from '../src/config.js';
import { startControlPlane } from '../src/control-plane.js';
import { SERVER_TIMEOUTS } from '../src/http/http-adapter.js';
import { startHarness, testDatabase } from './control-plane-harness.js';
import { Rest, restAs } from './rest.js';

/** Stands between control plane and PostgreSQL, and can be pulled out. */
class Cable {
  private readonly sockets = new Set<Socket>();
  private isPulled = false;
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(databaseUrl: string): Promise<Cable> {
    const target = new URL(databaseUrl);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(databaseUrl);
    url.port = String((server.address() as AddressInfo).port);
    const cable = new Cable(server, url.toString());
    server.on('connection', (near) => cable.join(near, connect(Number(target.port), target.hostname)));
    return cable;
  }

  pull(): void {
    this.isPulled = true;
    for (const socket of this.sockets) socket.destroy();
  }

  plugIn(): void {
    this.isPulled = false;
  }

  close(): void {
    this.pull();
    this.server.close();
  }

  private join(near: Socket, far: Socket): void {
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    if (this.isPulled) near.destroy();
    near.pipe(far);
    far.pipe(near);
  }
}

describe('while PostgreSQL is away', () => {
  it('requests are answered with 503 and a pause, readiness says so, and all works again afterwards', async () => {
    const database = await testDatabase();
    const cable = await Cable.to(database.url);
    const harness = await startHarness({ databaseUrl: cable.url });
    try {
      const ada = await restAs(harness, 'submitter', 'ada');
      const anonymous = new Rest(ada.url);
      const submit = { body: { run: { command: ['true'] } }, headers: { 'idempotency-key': 'through-the-outage' } };
      expect((await ada.get('/me')).status).toBe(200);
      cable.pull();
      const answer = await ada.send<Problem>('POST', '/api/v1/jobs', submit);
      expect(answer.body).toMatchObject({ status: 503, code: 'unavailable' });
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(answer.text).not.toMatch(/ECONN|postgres:|127\.0\.0\.1/);
      expect(await anonymous.send('GET', '/health/ready')).toMatchObject({ status: 503, text: 'unavailable' });
      expect(await anonymous.send('GET', '/health/live')).toMatchObject({ status: 200, text: 'ok' });
      cable.plugIn();
      await eventually('it is ready again', async () => (await anonymous.send('GET', '/health/ready')).status === 200);
      const first = await ada.send<JobView>('POST', '/api/v1/jobs', submit);
      const second = await ada.send<JobView>('POST', '/api/v1/jobs', submit);
      expect([first.status, second.body.id]).toEqual([201, first.body.id]);
    } finally {
      await harness.stop();
      cable.close();
      await database.drop();
    }
  });
});

describe('a connection that makes no progress', () => {
  it('is closed, while others are served', async () => {
    const harness = await startHarness();
    try {
      const viewer = await restAs(harness, 'viewer');
      const { hostname, port } = new URL(viewer.url);
      const openedAt = performance.now();
      const sockets = Array.from({ length: 100 }, () => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        socket.resume();
        socket.write('GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Slow: ');
        return { socket, closed: once(socket, 'close') };
      });
      expect((await viewer.get('/me')).status).toBe(200);
      await Promise.all(sockets.map(({ closed }) => closed));
      expect(performance.now() - openedAt).toBeGreaterThan(SERVER_TIMEOUTS.headersTimeout - 1_000);
      expect((await viewer.get('/me')).status).toBe(200);
    } finally {
      await harness.stop();
    }
  });
});

describe('the access log', () => {
  it('names the request and neither the query, nor the headers, nor a key', async () => {
    const lines: string[] = [];
    const log = createLogger({ name: 'test', level: 'debug', format: 'json', sink: { write: (line) => lines.push(line) } });
    const database = await testDatabase();
    const controlPlane = await startControlPlane({ config: configWith({ databaseUrl: database.url, port: 0 }), log });
    try {
      const key = `wak_${'0'.repeat(26)}${'A'.repeat(43)}000000`;
      const rest = new Rest(controlPlane.url, key);
      const answer = await rest.send<Problem>('GET', '/api/v1/jobs?q=private-words', { headers: { cookie: 'session=private-cookie' } });
      await rest.send('GET', `/api/v1/jobs/${key}`);
      const { requestId } = answer.body;
      const line = await eventually('the line', () => lines.find((text) => text.includes(requestId)));
      expect(JSON.parse(line)).toMatchObject({ msg: 'request answered', req: { id: requestId, method: 'GET', path: '/api/v1/jobs' }, res: { status: 401 } });
      expect(lines.join('')).not.toMatch(/private|AAAAAAAAAA/);
    } finally {
      await controlPlane.stop();
      await database.drop();
    }
  });
});
