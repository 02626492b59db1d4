import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { AttemptRef, JobId, LogAck, LogStream, Offer } from '@muster/protocol';
import type { FakeAgent } from '@muster/testing';
import type { Harness } from './control-plane-harness.js';

/** A job that a fake agent runs, and what it prints. */
export interface RunningJob {
  readonly jobId: JobId;
  readonly ref: AttemptRef;
  readonly agent: FakeAgent;
}

export async function startJob(harness: Harness, agent: FakeAgent, job: Parameters<Harness['submit']>[0] = {}): Promise<RunningJob> {
  const jobId = await harness.submit({ priority: 50, ...job });
  return { jobId, agent, ref: await accept(agent) };
}

/** Takes the next offer and starts it. */
export async function accept(agent: FakeAgent): Promise<Offer> {
  const offer = await agent.nextOffer();
  const ack = await agent.start(offer);
  if (ack.kind !== 'go') throw new Error(`not started: ${ack.reason}`);
  return offer;
}

/** Sends a piece as an agent does: `gap` pieces have a length and no bytes. */
export async function print(job: RunningJob, offset: number, piece: Buffer | number, stream: LogStream = 'output', encoding = 'gzip'): Promise<number> {
  const isGap = typeof piece === 'number';
  const ack = await job.agent.ask<LogAck>('log:append', {
    attemptId: job.ref.attemptId,
    epoch: job.ref.epoch,
    stream,
    offset,
    rawLength: isGap ? piece : piece.length,
    encoding: isGap ? 'gap' : encoding,
    readAt: new Date().toISOString(),
    bytes: isGap ? Buffer.alloc(0) : encoding === 'gzip' ? gzipSync(piece, { level: 1 }) : piece,
  });
  if (!('storedLength' in ack)) throw new Error(`not stored: ${JSON.stringify(ack)}`);
  return ack.storedLength;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function finish(job: RunningJob, printed: Buffer, length = printed.length): Promise<void> {
  await job.agent.end(job.ref, { logs: { output: { length, sha256: sha256(printed) } } });
}

/** A source of chance that repeats itself: a failure can be looked at again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lines as programs print them: empty ones, long ones, `\r` bars, colours, bytes that are no UTF-8, no end to the last. */
export function printedBytes(random: () => number, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let made = 0; made < length; made += parts.at(-1)?.length ?? 0) {
    const kind = Math.floor(random() * 6);
    const size = Math.floor(random() * (kind === 0 ? 4_000 : 90));
    const text = Buffer.from(Array.from({ length: size }, () => 32 + Math.floor(random() * 95)));
    const ends = ['\n', '\n\n', '\r', '\r\n', '\u001b[31mred\u001b[0m\n', ''];
    parts.push(Buffer.concat([text, kind === 5 ? Buffer.from([0xff, 0xfe, 0x80]) : Buffer.from(ends[kind] ?? '')]));
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** Cuts bytes into pieces of 1 to `sizeMax` bytes. */
export function cutUp(bytes: Buffer, random: () => number, sizeMax: number): { offset: number; bytes: Buffer }[] {
  const pieces: { offset: number; bytes: Buffer }[] = [];
  for (let offset = 0; offset < bytes.length; offset += pieces.at(-1)?.bytes.length ?? 0) {
    pieces.push({ offset, bytes: bytes.subarray(offset, offset + 1 + Math.floor(random() * sizeMax)) });
  }
  return pieces;
}

