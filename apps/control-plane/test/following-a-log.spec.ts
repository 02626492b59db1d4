import { eventually } from '@muster/testing';
import type { FakeAgent } from '@muster/testing';
import type { ControlPlane } from '../src/control-plane.js';
import { KeyVerifier } from '../src/keys/key-verifier.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { LogEventReader as Reader } from './log-events.js';
import { accept, cutUp, finish, print, printedBytes, seeded, sha256, startJob } from './log-source.js';
import { Rest, restAs } from './rest.js';

jest.setTimeout(180_000);

let harness: Harness;
let viewer: Rest;
let agent: FakeAgent;
beforeAll(async () => {
  harness = await startHarness();
  viewer = await restAs(harness, 'viewer');
  agent = await harness.agent({ slots: 16 });
});
afterAll(() => harness.stop());

afterEach(() => jest.restoreAllMocks());

/** How often a replica has looked since, one look after the other, whether a key that logs are followed with still works. */
function countLooks({ app }: ControlPlane, keyId: string): () => number {
  const keys = app.get(KeyVerifier);
  const ended = keys.ended.bind(keys);
  let looks = 0;
  let isLooking = false;
  jest.spyOn(keys, 'ended').mockImplementation(async (credentials, database) => {
    const all = [...credentials];
    // The sockets of agents are looked at elsewhere.
    if (database !== undefined || isLooking || !all.some((credential) => credential.keyId === keyId)) return ended(all, database);
    isLooking = true;
    looks += 1;
    return ended(all).finally(() => (isLooking = false));
  });
  return () => looks;
}

describe('a follower', () => {
  it('gets history, then what is printed, each byte once, and the end', async () => {
    const random = seeded(7);
    const source = printedBytes(random, 400_000);
    const job = await startJob(harness, agent);
    const pieces = cutUp(source, random, 9_000);
    const half = Math.floor(pieces.length / 2);
    for (const { offset, bytes } of pieces.slice(0, half)) await print(job, offset, bytes);
    const readers = await Promise.all([Reader.open(viewer, job.jobId), Reader.open(viewer, job.jobId)]);
    for (const { offset, bytes } of pieces.slice(half)) await print(job, offset, bytes);
    await finish(job, source);
    for (const reader of readers) {
      await reader.ended();
      expect(sha256(reader.bytes)).toBe(sha256(source));
      let at = 0;
      for (const event of reader.of('log')) {
        expect(event).toMatchObject({ attemptId: job.ref.attemptId, stream: 'output', offset: at });
        at += Buffer.from(event.base64, 'base64').length;
      }
      expect(reader.of('attempt')).toEqual([{ type: 'attempt', attemptId: job.ref.attemptId, number: 1, workerName: agent.options.name }]);
      expect(reader.of('status').map((event) => event.status)).toEqual(['running', 'completed']);
      expect(reader.received.at(-1)?.event).toEqual({ type: 'end', status: 'completed', logState: 'complete' });
    }
  });

  it('that loses its connection again and again gets every byte once', async () => {
    const random = seeded(11);
    const source = printedBytes(random, 300_000);
    const job = await startJob(harness, agent);
    const got: Buffer[] = [];
    let connection = 0;
    const printing = (async () => {
      for (const { offset, bytes } of cutUp(source, random, 4_000)) {
        // However quick it prints, there is more to come when a connection is lost for the first two times.
        const lost = Math.min(2, Math.floor((3 * offset) / source.length));
        await eventually(`${lost} connections were lost`, () => connection >= lost);
        await print(job, offset, bytes);
      }
      await finish(job, source);
    })();
    let lastId: string | undefined;
    for (; ; connection++) {
      const reader = await Reader.open(viewer, job.jobId, '', lastId);
      const enough = connection < 2 ? 1 : 1 + Math.floor(random() * 12);
      await eventually('some events, or the end', () => reader.isClosed || reader.of('log').length >= enough);
      // What had arrived when the connection broke counts, nothing after it.
      const bytes = reader.bytes;
      const place = reader.lastId;
      const isOver = reader.of('end').length > 0;
      reader.close();
      got.push(bytes);
      lastId = place ?? lastId;
      if (isOver) {
        expect(connection).toBeGreaterThan(1);
        break;
      }
    }
    await printing;
    expect(sha256(Buffer.concat(got))).toBe(sha256(source));
  });

  it('that comes before the job has begun waits for it, and is told of each attempt', async () => {
    const blocker = await harness.submit({ needs: { gpus: 60 } });
    const waiting = await Reader.open(viewer, blocker);
    await eventually('the status', () => waiting.of('status').length > 0);
    expect(waiting.of('status')[0]).toMatchObject({ status: 'queued' });
    waiting.close();

    const job = await startJob(harness, agent, { retry: { onFailure: 1, backoffSeconds: 0 } });
    const reader = await Reader.open(viewer, job.jobId);
    await print(job, 0, Buffer.from('one\n'));
    await agent.end(job.ref, { outcome: 'failed', exit: { code: 3, signal: null }, logs: { output: { length: 4, sha256: sha256(Buffer.from('one\n')) } } });
    const second = { ...job, ref: await accept(agent) };
    await print(second, 0, Buffer.from('two\n'));
    await agent.end(second.ref, { outcome: 'failed', exit: { code: 4, signal: null }, logs: { output: { length: 4, sha256: sha256(Buffer.from('two\n')) } } });
    await reader.ended();
    expect(reader.bytes.toString()).toBe('one\ntwo\n');
    expect(reader.of('attempt').map((event) => event.number)).toEqual([1, 2]);
    expect(reader.of('status').at(-1)).toMatchObject({ status: 'failed', exitCode: 4 });
    const only = await Reader.open(viewer, job.jobId, '&attempt=1');
    await only.ended();
    expect(only.bytes.toString()).toBe('one\n');
    const resumed = await Reader.open(viewer, job.jobId, '', `${second.ref.attemptId}:output:1`);
    await resumed.ended();
    expect(resumed.bytes.toString()).toBe('wo\n');
  });

  it('waits for the bytes that are still on their way when the job is over', async () => {
    const job = await startJob(harness, agent);
    const reader = await Reader.open(viewer, job.jobId);
    await print(job, 0, Buffer.from('early '));
    await finish(job, Buffer.from('early late'));
    await eventually('the end of the job', () => reader.of('status').some((event) => event.status === 'completed'));
    expect(reader.of('end')).toEqual([]);
    await print(job, 6, Buffer.from('late'));
    await reader.ended();
    expect(reader.bytes.toString()).toBe('early late');
    expect(reader.of('end')).toMatchObject([{ logState: 'complete' }]);
  });

  it('is told of a gap instead of its bytes', async () => {
    const job = await startJob(harness, agent);
    await print(job, 0, Buffer.from('head'));
    await print(job, 4, 1_000);
    await print(job, 1_004, Buffer.from('tail'));
    await finish(job, Buffer.from('headtail'), 1_008);
    const reader = await Reader.open(viewer, job.jobId, '', `${job.ref.attemptId}:output:2`);
    await reader.ended();
    expect(reader.bytes.toString()).toBe('adtail');
    expect(reader.of('gap')).toEqual([{ type: 'gap', attemptId: job.ref.attemptId, stream: 'output', offset: 4, length: 1_000 }]);
  });

  it('of separate streams comes back to both', async () => {
    const job = await startJob(harness, agent, { logs: { separate: true } });
    await print(job, 0, Buffer.from('out1'), 'stdout');
    await print(job, 0, Buffer.from('err1'), 'stderr');
    const first = await Reader.open(viewer, job.jobId);
    await eventually('both streams', () => first.of('log').length === 2);
    first.close();
    expect(first.lastId).toBe(`${job.ref.attemptId}:stderr:4:stdout:4`);
    await print(job, 4, Buffer.from('out2'), 'stdout');
    const proof = (text: string): { length: number; sha256: string } => ({ length: text.length, sha256: sha256(Buffer.from(text)) });
    await agent.end(job.ref, { logs: { stdout: proof('out1out2'), stderr: proof('err1') } });
    const second = await Reader.open(viewer, job.jobId, '', first.lastId);
    await second.ended();
    expect(second.of('log').map((event) => [event.stream, event.offset, Buffer.from(event.base64, 'base64').toString()])).toEqual([['stdout', 4, 'out2']]);
  });

  it('whose key is revoked is ended by the second look at keys, one a second, on every replica', async () => {
    const replica = await harness.startReplica();
    const { id, secret } = await harness.createKey('viewer');
    const admin = await restAs(harness, 'admin');
    const job = await startJob(harness, agent);
    const readers = await Promise.all([harness.controlPlane.url, replica.url].map((url) => Reader.open(new Rest(url, secret), job.jobId)));
    await eventually('both follow', () => readers.every((reader) => reader.of('attempt').length > 0));
    await admin.send('DELETE', `/api/v1/keys/${id}`);
    const looks = [harness.controlPlane, replica].map((at) => countLooks(at, id));
    await eventually('both are ended', () => readers.every((reader) => reader.isClosed));
    for (const count of looks) expect(count()).toBeLessThanOrEqual(2);
    await replica.stop();
  });

  it('with a place that is none is refused', async () => {
    const job = await startJob(harness, agent);
    const { status, body } = await viewer.send<{ detail: string }>('GET', `/api/v1/jobs/${job.jobId}/logs?follow=true`, { headers: { 'last-event-id': 'att:output:x' } });
    expect(status).toBe(400);
    expect(body.detail).toContain('Last-Event-ID');
  });

  it('that takes nothing holds back nobody else and keeps nothing in memory', async () => {
    const source = printedBytes(seeded(13), 6_000_000);
    const job = await startJob(harness, agent);
    const lazy = await Reader.open(viewer, job.jobId);
    lazy.response.pause();
    const eager = await Reader.open(viewer, job.jobId);
    const offsets = Array.from({ length: Math.ceil(source.length / 65_536) }, (_, index) => index * 65_536);
    // As an agent does: up to 16 chunks on their way, in order.
    for (let at = 0; at < offsets.length; at += 16) {
      await Promise.all(offsets.slice(at, at + 16).map((offset) => print(job, offset, source.subarray(offset, offset + 65_536))));
    }
    await finish(job, source);
    await eager.ended();
    expect(sha256(eager.bytes)).toBe(sha256(source));
    expect(lazy.bytes.length).toBeLessThan(source.length);
    lazy.response.resume();
    await lazy.ended();
    expect(sha256(lazy.bytes)).toBe(sha256(source));
  });
});

describe('stopping the control plane', () => {
  it('ends its followers at once, and they go on elsewhere', async () => {
    const replica = await harness.startReplica();
    const job = await startJob(harness, agent);
    await print(job, 0, Buffer.from('before '));
    const reader = await Reader.open(new Rest(replica.url, viewer.key), job.jobId);
    await eventually('the first bytes', () => reader.bytes.length > 0);
    await replica.stop();
    await reader.ended();
    await print(job, 7, Buffer.from('after'));
    await finish(job, Buffer.from('before after'));
    const next = await Reader.open(viewer, job.jobId, '', reader.lastId);
    await next.ended();
    expect(next.bytes.toString()).toBe('after');
  });
});
