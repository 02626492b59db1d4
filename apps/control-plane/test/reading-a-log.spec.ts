import type { AttemptView, LogMatchesView, LogPageView } from '@muster/protocol';
import type { FakeAgent } from '@muster/testing';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { accept, cutUp, finish, print, printedBytes, seeded, sha256, startJob } from './log-source.js';
import type { RunningJob } from './log-source.js';
import { restAs } from './rest.js';
import type { Rest } from './rest.js';

jest.setTimeout(180_000);

const SEED = 20_261_122;
const random = seeded(SEED);
const SOURCE = printedBytes(random, 700_000);
/** Where each line begins; the last may have no end. */
const LINE_STARTS = [0];
for (let at = SOURCE.indexOf(10); at !== -1; at = SOURCE.indexOf(10, at + 1)) LINE_STARTS.push(at + 1);
if (LINE_STARTS.at(-1) === SOURCE.length) LINE_STARTS.pop();
const startOfLine = (line: number): number => LINE_STARTS[line] ?? SOURCE.length;
const lineEnds = (bytes: Buffer): number => bytes.toString('latin1').split('\n').length - 1;

let harness: Harness;
let viewer: Rest;
let agent: FakeAgent;
let job: RunningJob;
beforeAll(async () => {
  harness = await startHarness();
  viewer = await restAs(harness, 'viewer');
  agent = await harness.agent({ slots: 8 });
  job = await startJob(harness, agent);
  for (const { offset, bytes } of cutUp(SOURCE, random, 20_000)) await print(job, offset, bytes, 'output', random() < 0.5 ? 'gzip' : 'identity');
  await finish(job, SOURCE);
});
afterAll(() => harness.stop());

const read = async (query: string, jobId: string = job.jobId): Promise<LogPageView> => {
  const { status, body, text } = await viewer.get<LogPageView>(`/jobs/${jobId}/logs${query}`);
  if (status !== 200) throw new Error(`${query}: ${text}`);
  return body;
};
/** The bytes of a page; checks that its segments follow one another. */
function bytesOf(page: LogPageView): Buffer {
  let at = page.offset;
  for (const segment of page.segments) {
    expect(segment.offset).toBe(at);
    at += segment.length;
  }
  expect(page.nextOffset).toBe(at);
  return Buffer.concat(page.segments.map((segment) => Buffer.from(segment.base64 ?? '', 'base64')));
}
const expectPiece = (page: LogPageView, from: number, to: number, what: string): void => {
  const bytes = bytesOf(page);
  if (page.offset !== from || !bytes.equals(SOURCE.subarray(from, to))) {
    throw new Error(`${what} (seed ${SEED}): got ${page.offset}+${bytes.length}, expected ${from}+${to - from}`);
  }
  expect(page.firstLine).toBe(lineEnds(SOURCE.subarray(0, from)));
};
const whole = (max: number): number => Math.floor(random() * max);

describe('a piece of a log', () => {
  it('from any byte is exactly what was printed', async () => {
    for (let round = 0; round < 60; round++) {
      const offset = whole(SOURCE.length + 1);
      const limit = 1 + whole(round % 2 === 0 ? 300 : 200_000);
      expectPiece(await read(`?offset=${offset}&limitBytes=${limit}`), offset, Math.min(SOURCE.length, offset + limit), `offset ${offset}`);
    }
  });

  it('before any byte is exactly what was printed', async () => {
    for (let round = 0; round < 40; round++) {
      const before = whole(SOURCE.length + 1);
      const limit = 1 + whole(100_000);
      expectPiece(await read(`?before=${before}&limitBytes=${limit}`), Math.max(0, before - limit), before, `before ${before}`);
    }
  });

  it('from any line has exactly so many lines', async () => {
    for (let round = 0; round < 60; round++) {
      const line = whole(LINE_STARTS.length + 2);
      const lines = 1 + whole(50);
      const from = startOfLine(line);
      const to = Math.min(startOfLine(line + lines), from + 262_144);
      expectPiece(await read(`?line=${line}&lines=${lines}`), from, to, `line ${line} +${lines}`);
    }
  });

  it('before any line has exactly so many lines', async () => {
    for (let round = 0; round < 60; round++) {
      const line = whole(LINE_STARTS.length + 2);
      const lines = 1 + whole(50);
      const last = Math.min(line, LINE_STARTS.length);
      expectPiece(await read(`?beforeLine=${line}&lines=${lines}`), startOfLine(Math.max(0, last - lines)), startOfLine(last), `before line ${line} -${lines}`);
    }
  });

  it('before an unreachable line is the tail', async () => {
    expectPiece(await read('?beforeLine=999999999&lines=10'), startOfLine(LINE_STARTS.length - 10), SOURCE.length, 'tail');
    expectPiece(await read('?before=999999999&limitBytes=100'), SOURCE.length - 100, SOURCE.length, 'tail in bytes');
  });

  it('with lines alone is the head', async () => {
    expectPiece(await read('?lines=3'), 0, startOfLine(3), 'head');
    expectPiece(await read(`?offset=${startOfLine(7)}&lines=2`), startOfLine(7), startOfLine(9), 'lines from an offset');
  });

  it('joined to the next ones is the whole log', async () => {
    const parts: Buffer[] = [];
    let page = await read('?limitBytes=99991');
    for (; page.segments.length > 0; page = await read(`?offset=${page.nextOffset}&limitBytes=99991`)) parts.push(bytesOf(page));
    expect(sha256(Buffer.concat(parts))).toBe(sha256(SOURCE));
    expect(page.log).toEqual({ storedLength: SOURCE.length, finalLength: SOURCE.length, sha256: sha256(SOURCE), state: 'complete', lineCount: lineEnds(SOURCE) });
  });

  it('as text is the same bytes', async () => {
    const { url, key } = viewer;
    const response = await fetch(`${url}/api/v1/jobs/${job.jobId}/logs?offset=1000&limitBytes=5000`, { headers: { authorization: `Bearer ${key}`, accept: 'text/plain' } });
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('x-muster-log-next-offset')).toBe('6000');
    expect(Buffer.from(await response.arrayBuffer()).equals(SOURCE.subarray(1000, 6000))).toBe(true);
  });
});

describe('a download', () => {
  const download = async (jobId: string, query = ''): Promise<{ headers: Headers; bytes: Buffer }> => {
    const response = await fetch(`${viewer.url}/api/v1/jobs/${jobId}/logs/download${query}`, { headers: { authorization: `Bearer ${viewer.key}` } });
    return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  };

  it('is every byte, with the proof beside it', async () => {
    const { headers, bytes } = await download(job.jobId);
    expect(sha256(bytes)).toBe(sha256(SOURCE));
    expect(headers.get('content-length')).toBe(String(SOURCE.length));
    expect(headers.get('content-disposition')).toBe(`attachment; filename="${job.jobId}.1.output.log"`);
    expect(headers.get('x-muster-log-state')).toBe('complete');
    expect(headers.get('x-muster-log-sha256')).toBe(sha256(SOURCE));
  });

  it('leaves gaps out and says how many bytes they are', async () => {
    const capped = await startJob(harness, agent);
    await print(capped, 0, Buffer.from('head\n'));
    await print(capped, 5, 1_000_000);
    await print(capped, 1_000_005, Buffer.from('tail\n'));
    await finish(capped, Buffer.from('head\ntail\n'), 1_000_010);
    const { headers, bytes } = await download(capped.jobId);
    expect(bytes.toString()).toBe('head\ntail\n');
    expect(headers.get('x-muster-log-gap-bytes')).toBe('1000000');
    expect(headers.get('x-muster-log-length')).toBe('1000010');
    expect(headers.get('x-muster-log-state')).toBe('complete');
    const page = await read('?offset=2', capped.jobId);
    expect(page.segments.map(({ type, offset, length }) => [type, offset, length])).toEqual([['bytes', 2, 3], ['gap', 5, 262_141]]);
    const next = await read(`?offset=${page.nextOffset}&limitBytes=1048576`, capped.jobId);
    expect(next.segments.map(({ type, offset, length }) => [type, offset, length])).toEqual([['gap', 262_146, 737_859], ['bytes', 1_000_005, 5]]);
    const tail = await viewer.get<string>(`/jobs/${capped.jobId}/logs?beforeLine=9&lines=9&limitBytes=1048576`, { accept: 'text/plain' });
    expect(tail.text).toBe('head\n\n[muster: 1000000 bytes were not kept]\ntail\n');
  });

  it('of a log that is on its way is what is there, and says so', async () => {
    const late = await startJob(harness, agent);
    await print(late, 0, Buffer.from('first half, '));
    expect((await download(late.jobId)).headers.get('x-muster-log-state')).toBe('live');
    await finish(late, Buffer.from('first half, second half'));
    const { headers, bytes } = await download(late.jobId);
    expect([bytes.toString(), headers.get('x-muster-log-state')]).toEqual(['first half, ', 'draining']);
    await print(late, 12, Buffer.from('second half'));
    expect((await download(late.jobId)).headers.get('x-muster-log-state')).toBe('complete');
  });
});

describe('a search', () => {
  const search = async (text: string, more = ''): Promise<LogMatchesView> => {
    const { body } = await viewer.get<LogMatchesView>(`/jobs/${job.jobId}/logs?q=${encodeURIComponent(text)}${more}`);
    return body;
  };

  it('finds every place, also across chunks, and nothing else', async () => {
    for (const text of ['red', 'ab', '\u001b[31m', '~~', 'no such text anywhere in here']) {
      const needle = Buffer.from(text);
      const expected: number[] = [];
      for (let at = SOURCE.indexOf(needle); at !== -1; at = SOURCE.indexOf(needle, at + needle.length)) expected.push(at);
      const found: LogMatchesView['data'][number][] = [];
      let page = await search(text);
      found.push(...page.data);
      for (; !page.isComplete; found.push(...page.data)) page = await search(text, `&offset=${page.nextOffset}`);
      expect(found.map((match) => match.offset)).toEqual(expected);
      expect(found.map((match) => match.line)).toEqual(expected.map((at) => lineEnds(SOURCE.subarray(0, at))));
      for (const match of found) expect(match.text).toContain(text);
    }
  });

  it('shows the line around a match', async () => {
    const small = await startJob(harness, agent);
    await print(small, 0, Buffer.from('one\ntwo nee'));
    await print(small, 11, Buffer.from('dle three\nfour\n'));
    const { body } = await viewer.get<LogMatchesView>(`/jobs/${small.jobId}/logs?q=needle`);
    expect(body).toMatchObject({ data: [{ offset: 8, line: 1, text: 'two needle three' }], nextOffset: 26, isComplete: true });
  });
});

describe('the attempt', () => {
  it('that is meant is the newest, or the one that is named', async () => {
    const first = await startJob(harness, agent, { retry: { onFailure: 1, backoffSeconds: 0 } });
    await print(first, 0, Buffer.from('first'));
    await agent.end(first.ref, { outcome: 'failed', exit: { code: 1, signal: null }, logs: { output: { length: 5, sha256: sha256(Buffer.from('first')) } } });
    const second = { ...first, ref: await accept(agent) };
    await print(second, 0, Buffer.from('second'));
    const text = async (query: string): Promise<string> => (await viewer.get(`/jobs/${first.jobId}/logs${query}`, { accept: 'text/plain' })).text;
    expect(await text('')).toBe('second');
    expect(await text('?attempt=1')).toBe('first');
    expect(await text(`?attempt=${first.ref.attemptId}`)).toBe('first');
    expect(await text('?attempt=2&stream=stderr')).toBe('');
    expect(await viewer.refused('GET', `/api/v1/jobs/${first.jobId}/logs?attempt=3`)).toMatchObject({ status: 404, detail: 'There is no attempt "3".' });
    const { body } = await viewer.get<{ data: AttemptView[] }>(`/jobs/${first.jobId}/attempts`);
    expect(body.data.map((attempt) => [attempt.number, attempt.outcome, attempt.logs.output?.state])).toEqual([[1, 'failed', 'complete'], [2, null, 'live']]);
  });

  it('that does not exist yet is said to', async () => {
    const jobId = await harness.submit({ needs: { gpus: 60 } });
    expect(await viewer.refused('GET', `/api/v1/jobs/${jobId}/logs`)).toMatchObject({
      status: 404,
      detail: 'The job is queued and no worker has begun it, so there is no log yet.',
    });
  });
});
