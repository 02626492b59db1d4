import { createServer, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentStatusView } from '@muster/protocol';
import { createLogger } from '@muster/runtime';
import { MonitorServer } from './monitor-server.js';

const logger = createLogger({ name: 'agent', level: 'silent' });
const status: AgentStatusView = {
  program: 'muster-agent',
  pid: 42,
  protocolVersion: '1.2',
  stateDir: '/var/lib/muster/agent',
  inventory: null,
  sample: null,
  faults: [{ code: 'diskFloor', detail: 'Only 3 MiB are free.' }],
  checks: [],
  name: '<b>box</b>',
  version: '0.1.0',
  workerId: null,
  url: 'http://127.0.0.1:6878',
  status: 'offline',
  link: { state: 'waiting', nextTryAt: '2026-01-01T00:00:00.000Z', lastFailure: 'connect ECONNREFUSED' },
  lastBeatAt: null,
  mode: 'serving',
  slots: { total: 4, free: 3, quarantined: 1 },
  containment: { default: 'group', available: ['group'], notes: [] },
  objection: null,
  executions: [],
  logBytesInFlight: 0,
};

interface Reply {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function get(
  port: number,
  given: { path?: string; method?: string; headers?: OutgoingHttpHeaders } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port, path: given.path ?? '/', method: given.method ?? 'GET', headers: given.headers ?? {} },
      (response) => {
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.on('end', () => resolve({ code: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    asking.on('error', reject);
    asking.end();
  });
}

describe('the status page', () => {
  const monitors: MonitorServer[] = [];
  const start = async (wanted: number | 'off' = 0) => {
    const monitor = new MonitorServer(wanted, logger);
    monitors.push(monitor);
    await monitor.start(() => status);
    return monitor;
  };
  afterEach(async () => {
    for (const monitor of monitors.splice(0)) await monitor.stop();
  });

  it('says as JSON how the agent is doing', async () => {
    const { port } = await start();
    const { code, body } = await get(port ?? 0);
    expect(code).toBe(200);
    expect(JSON.parse(body)).toEqual(status);
  });

  it('is a page for a browser, with every value escaped', async () => {
    const { port } = await start();
    const { headers, body } = await get(port ?? 0, { headers: { accept: 'text/html,*/*' } });
    expect(headers['content-type']).toContain('text/html');
    expect(body).toContain('&#60;b&#62;box');
    expect(body).toContain('ECONNREFUSED');
    expect(body).toContain('Only 3 MiB are free.');
    expect(body).not.toContain('<b>box');
  });

  it('answers no page of somewhere else', async () => {
    const { port } = await start();
    expect((await get(port ?? 0, { headers: { origin: 'https://evil.example' } })).code).toBe(403);
    expect((await get(port ?? 0, { headers: { host: `evil.example:${port}` } })).code).toBe(403);
    expect(
      (await get(port ?? 0, { headers: { host: `localhost:${port}`, origin: `http://localhost:${port}` } })).code,
    ).toBe(200);
  });

  it('changes nothing and has no other paths', async () => {
    const { port } = await start();
    expect((await get(port ?? 0, { method: 'POST' })).code).toBe(405);
    expect((await get(port ?? 0, { path: '/etc/passwd' })).code).toBe(404);
  });

  it('takes the next free port when its own is taken', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const taken = (blocker.address() as AddressInfo).port;
    const { port } = await start(taken);
    expect(port).toBeGreaterThan(taken);
    blocker.close();
  });

  it('does not exist when turned off', async () => {
    expect((await start('off')).port).toBeNull();
  });
});
