import { Muster, NotFound, Unreachable, type LogEvent } from '../src/index.js';
import {
  events,
  hangUp,
  instantTiming,
  json,
  startScriptedServer,
  type Answer,
  type ScriptedServer,
  type SentEvent,
} from './scripted-server.js';

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setup(...answers: readonly Answer[]) {
  const server = await startScriptedServer(...answers);
  servers.push(server);
  const timing = instantTiming();
  return { server, timing, muster: new Muster({ url: server.url, timing }) };
}

const log = (offset: number, text: string): SentEvent => ({
  id: `att_1:output:${offset + text.length}`,
  data: {
    type: 'log',
    attemptId: 'att_1',
    stream: 'output',
    offset,
    base64: Buffer.from(text).toString('base64'),
    readAt: 'x',
  },
});
const end: SentEvent = { data: { type: 'end', status: 'completed', logState: 'complete' } };

async function read(follow: AsyncIterable<LogEvent>): Promise<string> {
  let text = '';
  for await (const event of follow) {
    text += event.type === 'log' ? Buffer.from(event.bytes).toString() : `<${event.type}>`;
  }
  return text;
}

describe('following a log', () => {
  it('yields history and live pieces and stops after the end', async () => {
    const { server, muster } = await setup(events([log(0, 'one\n'), log(4, 'two\n'), end], 'stay'));
    await expect(read(muster.logs.follow('job_1'))).resolves.toBe('one\ntwo\n<end>');
    expect(server.calls[0]).toMatchObject({
      url: '/api/v1/jobs/job_1/logs?follow=true',
      headers: { accept: 'text/event-stream' },
    });
  });

  it('goes on where a broken connection stopped, without a gap or a repeat', async () => {
    const { server, muster } = await setup(
      events([log(0, 'one\n')], 'break'),
      hangUp,
      json({ code: 'unavailable', detail: 'restarting', requestId: 'r' }, 503),
      // A control plane that begins a little earlier than asked.
      events([log(0, 'one\n'), log(2, 'e\ntwo\n')], 'end'),
      events([log(8, 'three\n'), end], 'end'),
    );
    const interruptions: string[] = [];
    const text = await read(muster.logs.follow('job_1', { onInterruption: (error) => interruptions.push(error.code) }));
    expect(text).toBe('one\ntwo\nthree\n<end>');
    expect(server.calls.map((call) => call.headers['last-event-id'])).toEqual([
      undefined,
      'att_1:output:4',
      'att_1:output:4',
      'att_1:output:4',
      'att_1:output:8',
    ]);
    expect(interruptions).toEqual(['unreachable', 'unreachable', 'unavailable', 'unreachable']);
  });

  it('begins behind the bytes that are not wanted', async () => {
    const { server, muster } = await setup(events([log(4, 'two\n'), end], 'end'));
    const after = { attemptId: 'att_1', offsets: { stdout: 4, stderr: 7 } };
    await expect(read(muster.logs.follow('job_1', { after }))).resolves.toBe('two\n<end>');
    expect(server.calls[0]?.headers['last-event-id']).toBe('att_1:stdout:4:stderr:7');
  });

  it('asks again for bytes that were left out', async () => {
    const { server, muster } = await setup(
      events([log(0, 'one\n'), log(8, 'three\n')], 'stay'),
      events([log(4, 'two\n'), log(8, 'three\n'), end], 'stay'),
    );
    await expect(read(muster.logs.follow('job_1'))).resolves.toBe('one\ntwo\nthree\n<end>');
    expect(server.calls[1]?.headers['last-event-id']).toBe('att_1:output:4');
  });

  it('says where bytes are missing that were asked for and not given', async () => {
    const { muster } = await setup(events([log(0, 'one\n'), log(8, 'three\n'), end], 'stay'));
    await expect(read(muster.logs.follow('job_1'))).resolves.toBe('one\n<gap>three\n<end>');
  });

  it('takes a silent connection for dead', async () => {
    const { muster } = await setup(events([log(0, 'one\n')], 'stay'), events([log(4, 'two\n'), end], 'stay'));
    await expect(read(muster.logs.follow('job_1', { idleTimeoutMs: 1_000 }))).resolves.toBe('one\ntwo\n<end>');
  });

  it('does not take a reader who pauses for a dead connection', async () => {
    let sendEnd: () => void = () => undefined;
    const { server, muster } = await setup((call, response) => {
      events([log(0, 'one\n')], 'stay')(call, response);
      sendEnd = () => response.write(`data: ${JSON.stringify(end.data)}\n\n`);
    });
    const types: string[] = [];
    const interruptions: string[] = [];
    const onInterruption = (error: Error): number => interruptions.push(error.message);
    for await (const event of muster.logs.follow('job_1', { idleTimeoutMs: 2_000, onInterruption })) {
      types.push(event.type);
      if (event.type !== 'log') continue;
      sendEnd();
      // Longer than a connection may be silent.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
    }
    expect(types).toEqual(['log', 'end']);
    expect(interruptions).toEqual([]);
    expect(server.calls).toHaveLength(1);
  });

  it('pauses longer with each failure, and shortly again after a success', async () => {
    const { timing, muster } = await setup(
      events([log(0, 'a')], 'break'),
      hangUp,
      hangUp,
      events([log(1, 'b')], 'break'),
      events([end], 'end'),
    );
    await read(muster.logs.follow('job_1'));
    expect(timing.pausesMs).toEqual([250, 500, 1_000, 250]);
  });

  it('ends at once when another connection cannot help', async () => {
    const { server, muster } = await setup(json({ code: 'notFound', detail: 'no such job', requestId: 'r' }, 404));
    await expect(read(muster.logs.follow('job_9'))).rejects.toBeInstanceOf(NotFound);
    expect(server.calls).toHaveLength(1);
  });

  it('gives up when not even the first connection comes about', async () => {
    const { server, muster } = await setup(hangUp);
    await expect(read(muster.logs.follow('job_1'))).rejects.toBeInstanceOf(Unreachable);
    expect(server.calls).toHaveLength(4);
  });

  it('ignores events of kinds it does not know', async () => {
    const { muster } = await setup(events([{ data: { type: 'sparkle' } }, { data: 'x' }, log(0, 'a'), end], 'end'));
    await expect(read(muster.logs.follow('job_1'))).resolves.toBe('a<end>');
  });

  it('closes its connection when the reader leaves', async () => {
    let closed: () => void;
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const { muster } = await setup((call, response) => {
      response.on('close', () => closed());
      events([log(0, 'a')], 'stay')(call, response);
    });
    for await (const event of muster.logs.follow('job_1')) if (event.type === 'log') break;
    await isClosed;
  });

  it('that is aborted rejects with the reason of the abort', async () => {
    const { muster } = await setup(events([log(0, 'a')], 'stay'));
    const abort = new AbortController();
    const reading = (async () => {
      for await (const event of muster.logs.follow('job_1', { signal: abort.signal })) {
        if (event.type === 'log') abort.abort(new Error('detached'));
      }
    })();
    await expect(reading).rejects.toThrow('detached');
  });
});

describe('downloading a log', () => {
  it('yields the bytes exactly', async () => {
    const whole = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));
    const { server, muster } = await setup((_call, response) =>
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(whole),
    );
    const pieces: Uint8Array[] = [];
    for await (const piece of muster.logs.download('job_1', { attempt: 2, stream: 'stderr' })) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
    expect(server.calls[0]?.url).toBe('/api/v1/jobs/job_1/logs/download?attempt=2&stream=stderr');
  });

  it('tells whether it is complete and what it must hash to', async () => {
    const headers = { 'x-muster-attempt': 'att_1', 'x-muster-log-state': 'complete', 'x-muster-log-sha256': 'abc' };
    const { muster } = await setup((_call, response) => response.writeHead(200, headers).end('a'));
    await expect(muster.logs.open('job_1')).resolves.toMatchObject({
      attemptId: 'att_1',
      state: 'complete',
      sha256: 'abc',
    });
  });

  it('that breaks off says so instead of ending as if it were whole', async () => {
    const { muster } = await setup((_call, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('abc', () => response.destroy());
    });
    const reading = (async () => {
      for await (const piece of muster.logs.download('job_1')) expect(piece.length).toBe(3);
    })();
    await expect(reading).rejects.toBeInstanceOf(Unreachable);
  });
});
