import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentCheck, AgentStatusView } from '@muster/protocol';
import { toId } from '@muster/protocol';
import { runCli } from '../src/cli.js';
import { anyFreePort } from '@muster/local-stack';

const jobId = toId('job', 1, new Uint8Array(10));
const attemptId = toId('att', 1, new Uint8Array(10));
const ok: AgentCheck = { name: 'disk', result: 'ok', detail: '5.0 GiB are free.', advice: null };

function anAgent(changes: Partial<AgentStatusView> = {}): AgentStatusView {
  return {
    program: 'muster-agent',
    pid: 4711,
    name: 'lab-3\u001b[2J',
    version: '0.1.0',
    protocolVersion: '1.2',
    workerId: null,
    url: 'http://127.0.0.1:1',
    stateDir: '/var/lib/muster/agent',
    status: 'online',
    link: { state: 'connected' },
    lastBeatAt: null,
    mode: 'serving',
    slots: { total: 4, free: 3, quarantined: 1 },
    inventory: null,
    containment: { default: 'cgroup', available: ['cgroup'], notes: [] },
    sample: {
      cpuPercent: 12.5,
      memoryUsedMb: 1_000,
      diskFreeMb: null,
      gpus: [
        {
          index: 0,
          utilisationPercent: null,
          memoryUsedMb: 1_024,
          memoryTotalMb: 81_559,
          temperatureCelsius: 41,
          powerWatts: null,
        },
      ],
      attempts: [{ attemptId, cpuSeconds: 1, memoryBytes: 5_000_000, gpuMemoryMb: 512 }],
    },
    faults: [{ code: 'slotsQuarantined', detail: '1 slot is held by processes that could not be killed.' }],
    checks: [ok],
    objection: null,
    executions: [{ attemptId, jobId, name: 'train', phase: 'running' }],
    logBytesInFlight: 0,
    ...changes,
  };
}

describe('muster agent', () => {
  const servers: Server[] = [];
  const printed = { out: '', err: '' };

  beforeEach(() => {
    Object.assign(printed, { out: '', err: '' });
    const into = (stream: 'out' | 'err') => (text: string | Uint8Array) => {
      printed[stream] += String(text);
      return true;
    };
    jest.spyOn(process.stdout, 'write').mockImplementation(into('out'));
    jest.spyOn(process.stderr, 'write').mockImplementation(into('err'));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function serve(
    answer: (path: string) => { readonly code: number; readonly body: string; readonly date?: string },
  ): Promise<number> {
    const server = createServer((request, response) => {
      const { code, body, date } = answer(request.url ?? '');
      response.writeHead(code, date === undefined ? {} : { date });
      response.end(body);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
  const serveAgent = (changes: Partial<AgentStatusView> = {}): Promise<number> =>
    serve((path) =>
      path === '/status' ? { code: 200, body: JSON.stringify(anAgent(changes)) } : { code: 404, body: '' },
    );
  const serveControlPlane = async (answer: { readonly code: number; readonly date?: string }): Promise<string> =>
    `http://127.0.0.1:${await serve((path) => (path === '/health/ready' ? { body: 'ok', ...answer } : { code: 404, body: '' }))}`;
  const run = (...words: string[]): Promise<number> => runCli(['agent', ...words]);

  describe('status', () => {
    it('shows the agent of this machine, unknown as unknown, and nothing that moves the cursor', async () => {
      expect(await run('status', '--port', String(await serveAgent()), '--no-color')).toBe(0);
      expect(printed.out).toContain('lab-3 [2J is online');
      expect(printed.out).toContain('3 of 4 free, 1 quarantined');
      expect(printed.out).toMatch(/^GPU 0 +\? %, memory 1.07 GB of 85.5 GB, 41 °C, \? W$/m);
      expect(printed.out).toContain('1 slot is held');
      expect(printed.out).toMatch(/running +job_\S+ +train +5 MB, on GPUs 537 MB/);
    });

    it('answers programs with what the agent says', async () => {
      const port = await serveAgent();
      expect(await run('status', '--port', String(port), '--json')).toBe(0);
      expect(JSON.parse(printed.out)).toEqual([{ port, ...anAgent() }]);
    });

    it('ends with 6 when the agent has no connection', async () => {
      const link = { state: 'waiting', nextTryAt: '2026-01-01T00:00:00.000Z', lastFailure: 'connect ECONNREFUSED' };
      expect(await run('status', '--port', String(await serveAgent({ status: 'offline', link })))).toBe(6);
      expect(printed.out).toContain('ECONNREFUSED');
    });

    it('ends with 3 when no agent is there, or somebody else answers', async () => {
      const stranger = await serve(() => ({ code: 200, body: '{"program":"another"}' }));
      const garbled = await serve(() => ({ code: 200, body: '<html>' }));
      for (const port of [await anyFreePort('127.0.0.1'), stranger, garbled]) {
        expect(await run('status', '--port', String(port))).toBe(3);
      }
      expect(printed.err).toContain('No agent runs on this machine.');
    });

    it('refuses what is no port', async () => {
      expect(await run('status', '--port', '70000')).toBe(2);
    });
  });

  describe('doctor', () => {
    interface Document {
      readonly running: boolean;
      readonly result: string;
      readonly checks: readonly AgentCheck[];
    }
    const document = (): Document => JSON.parse(printed.out) as Document;
    const resultOf = (name: string) => document().checks.find((check) => check.name === name)?.result;

    it('asks the agent that runs, and its control plane', async () => {
      const url = await serveControlPlane({ code: 200 });
      expect(await run('doctor', '--port', String(await serveAgent({ url })), '--json')).toBe(0);
      expect(document()).toMatchObject({ running: true, result: 'ok' });
      expect(document().checks.map(({ name }) => name)).toEqual([
        'agent',
        'link',
        'disk',
        'controlPlane',
        'clock',
        'version',
      ]);
    });

    it('ends with 1 when a check failed, and says what to do', async () => {
      const failed: AgentCheck = { name: 'disk', result: 'failed', detail: 'Full.', advice: 'Free some space.' };
      const url = await serveControlPlane({ code: 200 });
      expect(await run('doctor', '--port', String(await serveAgent({ url, checks: [failed] })), '--no-color')).toBe(1);
      expect(printed.out).toMatch(/✘ disk +Full\.\n +Free some space\./);
    });

    it('ends with 6 when only the way to the control plane is closed', async () => {
      const gone = `http://127.0.0.1:${await anyFreePort('127.0.0.1')}`;
      expect(await run('doctor', '--port', String(await serveAgent({ url: gone, status: 'offline' })), '--json')).toBe(
        6,
      );
      expect([resultOf('controlPlane'), resultOf('link'), resultOf('clock')]).toEqual(['failed', 'failed', 'unknown']);
    });

    it('takes a control plane that cannot work now for closed', async () => {
      const url = await serveControlPlane({ code: 503 });
      expect(await run('doctor', '--port', String(await serveAgent({ url })), '--json')).toBe(6);
      expect(resultOf('controlPlane')).toBe('failed');
    });

    it('warns when the clocks are apart', async () => {
      const url = await serveControlPlane({ code: 200, date: new Date(Date.now() - 3_600_000).toUTCString() });
      expect(await run('doctor', '--port', String(await serveAgent({ url })), '--json')).toBe(0);
      expect(document().result).toBe('warning');
      expect(document().checks.find(({ name }) => name === 'clock')?.detail).toMatch(/at least (59m|1h).* ahead of/);
    });

    it('warns when versions differ', async () => {
      const url = await serveControlPlane({ code: 200 });
      expect(await run('doctor', '--port', String(await serveAgent({ url, version: '0.0.9' })), '--json')).toBe(0);
      expect(resultOf('version')).toBe('warning');
    });
  });
});
