import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkerView } from '@muster/protocol';
import { runCli } from '../src/cli.js';
import { aDrain, aWorker } from './a-worker.js';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

describe('what people say about workers', () => {
  let server: Server;
  let url: string;
  let asked: Asked[];
  let workers: WorkerView[];
  /** Told before each look at one worker. */
  let beforeLook: () => void;
  const printed = { out: '', err: '' };

  beforeEach(async () => {
    asked = [];
    workers = [aWorker('lab-3'), aWorker('lab-31'), aWorker('twin'), aWorker('twin', { id: aWorker('other').id })];
    beforeLook = () => undefined;
    Object.assign(printed, { out: '', err: '' });
    const into = (stream: 'out' | 'err') => (text: string | Uint8Array) => {
      printed[stream] += String(text);
      return true;
    };
    jest.spyOn(process.stdout, 'write').mockImplementation(into('out'));
    jest.spyOn(process.stderr, 'write').mockImplementation(into('err'));
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (piece) => (text += String(piece)));
      request.on('end', () => {
        const { method = '', url: path = '' } = request;
        asked.push({ method, path, body: text === '' ? null : JSON.parse(text) });
        const { status = 200, body } = answerTo(method, path);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function answerTo(method: string, path: string): { status?: number; body: unknown } {
    const [, id, verb] = /^\/api\/v1\/workers\/([^/?]+)(?:\/(\w+))?/.exec(path) ?? [];
    if (path.startsWith('/api/v1/jobs') || verb === 'events') return { body: { data: [], nextCursor: null } };
    if (id === undefined) {
      const part = new URL(path, url).searchParams.get('q') ?? '';
      return { body: { data: workers.filter(({ name }) => name.includes(part)), nextCursor: null } };
    }
    if (method === 'GET') beforeLook();
    const found = workers.find((worker) => worker.id === id);
    if (found === undefined) return { status: 404, body: { code: 'notFound', detail: `No worker ${id}.`, hint: '' } };
    return { body: verb === 'drain' ? change(0, { drain: aDrain({ deadlineAt: null }) }) : found };
  }
  function change(at: number, changes: Partial<WorkerView>): WorkerView {
    const changed = { ...(workers[at] ?? aWorker('lab-3')), ...changes };
    workers[at] = changed;
    return changed;
  }
  const run = (...words: string[]): Promise<number> => runCli([...words, '--url', url, '--no-color']);
  const sent = (): Asked | undefined => asked.find(({ method }) => method !== 'GET');

  describe('names one', () => {
    it('by its name, also where that is the beginning of another, by its id, or by the beginning of its id', async () => {
      const { id } = workers[0] ?? aWorker('lab-3');
      for (const reference of ['lab-3', id, id.toLowerCase(), id.slice(4), id.slice(0, 20)]) {
        expect(await run('worker', 'rename', reference, 'lab-4')).toBe(0);
        expect(asked.at(-1)).toEqual({ method: 'PATCH', path: `/api/v1/workers/${id}`, body: { name: 'lab-4' } });
      }
    });

    it('and is told the candidates where several could be meant, and nothing is done', async () => {
      expect(await run('drain', 'lab-3', 'twin')).toBe(2);
      for (const { id } of workers.slice(2)) expect(printed.err).toContain(`${id} (twin, online)`);
      expect(sent()).toBeUndefined();
    });

    it('and is told when there is none', async () => {
      expect(await run('worker', 'show', 'nope')).toBe(3);
      expect(printed.err).toMatch(/Next: List all workers: .*muster workers$/m);
      expect(await run('worker', 'show', aWorker('unknown').id)).toBe(3);
      expect(printed.err).toContain('muster workers -a');
    });
  });

  describe('changes', () => {
    it('are labels that are set and removed, with the others as they were', async () => {
      change(0, { labels: { zone: 'lab', old: '1' } });
      expect(await run('worker', 'label', 'lab-3', 'driver=550=x', 'old-')).toBe(0);
      expect(sent()?.body).toEqual({ labels: { zone: 'lab', driver: '550=x' } });
      expect(await run('worker', 'label', 'lab-3', 'nothing')).toBe(2);
    });

    it('are slots that are set, and words that are given back to the agent', async () => {
      expect(await run('worker', 'set', 'lab-3', '--slots', '2', '--reset', 'labels,capability', '--json')).toBe(0);
      expect(sent()?.body).toEqual({ slots: 2, labels: null, capability: null });
      expect(JSON.parse(printed.out)).toMatchObject({ name: 'lab-3' });
      for (const words of [[], ['--slots', '-1'], ['--slots', 'x'], ['--reset', 'nose']])
        expect(await run('worker', 'set', 'lab-3', ...words)).toBe(2);
    });
  });

  describe('drains', () => {
    it('return at once, with the policy, the deadline in seconds and the reason', async () => {
      expect(await run('drain', 'lab-3', '--policy', 'requeue', '--deadline', '10m', '--reason', 'new disk')).toBe(0);
      expect(sent()?.body).toEqual({ policy: 'requeue', deadlineSeconds: 600, reason: 'new disk' });
      expect(printed.err).toBe('lab-3 draining: 1 of 3 jobs left (new disk, maria)\n');
    });

    it('are followed until nothing is left, with a line for each change', async () => {
      const looks = [{ jobsLeft: 1 }, { jobsLeft: 0, state: 'drained' as const, drainedAt: '2026-11-22T11:59:30.000Z' }];
      beforeLook = () => {
        const next = looks.shift();
        if (next) change(0, { drain: aDrain({ deadlineAt: null, ...next }) });
      };
      expect(await run('drain', 'lab-3', '--wait')).toBe(0);
      expect(printed.err.split('\n')).toEqual(['lab-3 draining: 1 of 3 jobs left (new disk, maria)', 'lab-3 is drained after 1m 30s', '']);
    });

    it('end with 5 when somebody takes one back, and with 7 when the time is up', async () => {
      expect(await run('drain', 'lab-3', '--wait', '--timeout', '1ms', '--json')).toBe(7);
      expect(JSON.parse(printed.err)).toMatchObject({ code: 'waitTimedOut', exitCode: 7 });
      beforeLook = () => change(0, { drain: null });
      expect(await run('drain', 'lab-3', '--wait')).toBe(5);
      expect(printed.err).toContain('lab-3 was put back to service meanwhile.');
    });

    it('end with 5 when somebody removes one before it is drained', async () => {
      beforeLook = () => change(0, { removedAt: '2026-11-22T11:59:30.000Z', drain: aDrain({ deadlineAt: null, jobsLeft: 0 }) });
      expect(await run('drain', 'lab-3', '--wait', '--timeout', '20s', '--json')).toBe(5);
      expect(JSON.parse(printed.err)).toMatchObject({ code: 'removed', exitCode: 5 });
    });
  });

  it('lists them by what is asked for', async () => {
    expect(await run('workers', '-s', 'online,busy', '--capability', 'gpu', '-l', 'driver>=550', '-l', 'zone=lab', '--available', '--json')).toBe(0);
    const { searchParams } = new URL(asked[0]?.path ?? '', url);
    expect(Object.fromEntries(searchParams)).toMatchObject({ status: 'online,busy', capability: 'gpu', label: 'driver>=550,zone=lab', available: 'true' });
    expect(await run('workers', '--name', 'nobody')).toBe(0);
    expect(printed.err).toContain('No worker fits.');
    expect(await run('workers', '-s', 'asleep')).toBe(2);
  });
});
