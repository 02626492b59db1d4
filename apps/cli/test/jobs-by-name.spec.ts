import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toId, type JobStatus } from '@muster/protocol';
import { runCli } from '../src/cli.js';

interface Job {
  readonly id: string;
  readonly name: string;
  readonly status: JobStatus;
}

const idOf = (index: number): string => toId('job', Date.parse('2026-11-22T10:00:00Z') + index, new Uint8Array(10));

describe('a job named by its name', () => {
  let server: Server;
  let url: string;
  let jobs: Job[];
  let acted: string[];
  let printed: string;

  beforeEach(async () => {
    acted = [];
    printed = '';
    const into = (text: string | Uint8Array): boolean => {
      printed += String(text);
      return true;
    };
    jest.spyOn(process.stdout, 'write').mockImplementation(into);
    jest.spyOn(process.stderr, 'write').mockImplementation(into);
    server = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answerTo(request.method ?? '', new URL(request.url ?? '', url))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function answerTo(method: string, { pathname, searchParams }: URL): unknown {
    if (method === 'GET') {
      const statuses = searchParams.get('status')?.split(',');
      return { data: jobs.filter(({ status }) => statuses === undefined || statuses.includes(status)), nextCursor: null };
    }
    acted.push(pathname.replace('/api/v1/jobs/', ''));
    return jobs.find(({ id }) => pathname.includes(id));
  }
  const named = (...statuses: JobStatus[]): Job[] => statuses.map((status, index) => ({ id: idOf(index), name: 'big', status }));
  const run = (...words: string[]): Promise<number> => runCli([...words, '--url', url, '--no-color']);

  it.each(['cancel', 'pause', 'resume', 'requeue', 'abandon'])('is for %s the one that has not ended, however many have', async (verb) => {
    jobs = named('completed', 'failed', 'cancelled', 'completed', 'completed', 'completed', 'completed', 'queued');
    expect(await run(verb, 'big')).toBe(0);
    expect(acted).toEqual([`${idOf(7)}/${verb}`]);
  });

  it('is asked for by its id where two have not ended, and none is touched', async () => {
    jobs = named('running', 'completed', 'queued');
    expect(await run('cancel', 'big')).toBe(2);
    expect(printed).toContain(`${idOf(0)} (big, running), ${idOf(2)} (big, queued)`);
    expect(printed).not.toContain('completed');
    expect(acted).toEqual([]);
  });

  it('is the only one there is, also where it has ended, which the control plane then says', async () => {
    jobs = named('completed');
    await run('cancel', 'big');
    expect(acted).toEqual([`${idOf(0)}/cancel`]);
  });

  it('is any of them for those who only look', async () => {
    jobs = named('completed', 'queued');
    expect(await run('show', 'big')).toBe(2);
    expect(printed).toContain(`${idOf(0)} (big, completed), ${idOf(1)} (big, queued)`);
  });
});
