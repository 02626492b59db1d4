import { Inject, Injectable } from '@nestjs/common';
import type { AppendLogDto, AppendMetricsDto, CompleteAttemptDto, LogProofsDto, RenewAttemptDto, ReportProgressDto } from '@muster/dto';
import type { AttemptEnd, AttemptRef, EndAck, LogAck, LogChunk, LogProof, LogStream, MetricPoint, RenewedView, StartAck, Verdict } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { CLOCK } from '../core.module.js';
import type { Speaker } from '../http/access.js';
import { invalidRequest, Refusal } from '../http/refusal.js';
import { InvalidMessage } from '../sockets/invalid-message.js';
import { WorkerDesk, type Answer } from '../worker-life/worker-desk.js';
import { commandsOf } from './pending-commands.js';
import { WorkerPlace, type Spoken } from './worker-place.js';

const RETRY_AFTER_SECONDS = 1;

/** What a worker, or the job itself, says over REST of one attempt: each is the word of the socket, in another coat. */
@Injectable()
export class HttpAttempts {
  constructor(
    private readonly desk: WorkerDesk,
    private readonly place: WorkerPlace,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(speaker: Speaker, attemptId: string, session: number | undefined): Promise<StartAck> {
    return this.say(speaker, attemptId, session, ({ sender, ref }) => this.desk.start(sender, ref));
  }

  async renew(speaker: Speaker, attemptId: string, { session, state = 'running' }: RenewAttemptDto): Promise<RenewedView> {
    const ack = await this.say(speaker, attemptId, session, ({ sender, ref }) => this.desk.renew(sender, [{ ...ref, state }]));
    // One was listed, so one is answered.
    const verdict = ack.verdicts[0] as Verdict;
    return { beatIntervalMs: ack.beatIntervalMs, verdict, commands: commandsOf(ack.verdicts) };
  }

  async append(speaker: Speaker, attemptId: string, given: AppendLogDto): Promise<{ storedLength: number }> {
    const bytes = bytesOf(given);
    const { sender, ref } = await this.place.spokenOf(speaker, attemptId, undefined);
    const { stream = 'output', offset, readAt = this.now() } = given;
    const chunk: LogChunk = { ...ref, stream, offset, rawLength: bytes.byteLength, encoding: 'identity', readAt, bytes };
    const ack = await this.desk.append(sender, chunk).catch((error: unknown) => {
      throw error instanceof InvalidMessage ? invalidRequest([{ pointer: '/base64', detail: error.message }]) : error;
    });
    return toStored(ack);
  }

  async measure(speaker: Speaker, attemptId: string, given: AppendMetricsDto): Promise<{ storedLength: number }> {
    const { sender, ref } = await this.place.spokenOf(speaker, attemptId, undefined);
    const points = given.points.map(({ step = null, at = this.now(), values }): MetricPoint => ({ step, at, values }));
    const { offset, rawLength = points.length } = given;
    return this.desk.measure(sender, { ...ref, offset, rawLength, points });
  }

  async progress(speaker: Speaker, attemptId: string, given: ReportProgressDto): Promise<Record<string, never>> {
    const { fraction = null, message = null } = given;
    const { sender, ref } = await this.place.spokenOf(speaker, attemptId, undefined);
    return this.desk.progress(sender, { ...ref, fraction, message });
  }

  complete(speaker: Speaker, attemptId: string, given: CompleteAttemptDto): Promise<EndAck> {
    return this.say(speaker, attemptId, given.session, ({ sender, ref }) => this.desk.end(sender, toEnd(ref, given)));
  }

  /** A token names no session: the epoch of its attempt is what fences it. */
  private say<T extends object>(speaker: Speaker, attemptId: string, session: number | undefined, word: (spoken: Spoken) => Answer<T>): Promise<T> {
    const isNamed = session !== undefined && !('jobTerm' in speaker);
    return this.place.say(() => this.place.spokenOf(speaker, attemptId, session), isNamed, word);
  }

  private now(): string {
    return new Date(this.clock.nowMs()).toISOString();
  }
}

function bytesOf({ text, base64 }: AppendLogDto): Uint8Array {
  if ((text === undefined) === (base64 === undefined)) {
    throw invalidRequest([{ pointer: '/text', detail: 'Expected exactly one of `text` and `base64`.' }]);
  }
  return text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text, 'utf8');
}

function toStored(ack: LogAck): { storedLength: number } {
  if ('storedLength' in ack) return { storedLength: ack.storedLength };
  if ('gone' in ack) {
    throw new Refusal('logRemoved', { detail: 'The attempt ended too long ago: nothing more of its log is taken.', hint: 'Forget the rest of it.' });
  }
  throw new Refusal('tooManyRequests', {
    detail: 'More log bytes come at this moment than are stored.',
    hint: `Send this again after ${RETRY_AFTER_SECONDS} s; nothing of it was stored.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

function toEnd(ref: AttemptRef, given: CompleteAttemptDto): AttemptEnd {
  const { outcome, detail = null, result, usage = {}, logs } = given;
  const { cpuSeconds = null, memoryBytesPeak = null, wallSeconds = null } = usage;
  return {
    ...ref,
    outcome,
    exit: exitOf(given),
    detail,
    ...(result === undefined ? {} : { result }),
    usage: { cpuSeconds, memoryBytesPeak, wallSeconds },
    // Nothing is known of how the program contained it, and nothing is promised.
    containment: 'group',
    leftovers: 0,
    logs: proofsOf(logs),
    ranMs: wallSeconds === null ? null : wallSeconds * 1_000,
  };
}

function exitOf({ outcome, exitCode, signal }: CompleteAttemptDto): AttemptEnd['exit'] {
  const code = exitCode ?? (outcome === 'succeeded' ? 0 : undefined);
  return code === undefined && signal === undefined ? null : { code: code ?? null, signal: signal ?? null };
}

function proofsOf({ output, stdout, stderr }: LogProofsDto = {}): Partial<Record<LogStream, LogProof>> {
  return { ...(output === undefined ? {} : { output }), ...(stdout === undefined ? {} : { stdout }), ...(stderr === undefined ? {} : { stderr }) };
}
