import type { LogAck, LogProof } from '@muster/protocol';
import { Bell } from './bell.js';
import { ChunkLine, type ChunkLineOptions, type SendablePiece } from './chunk-line.js';
import { GrowthWatch } from './growth-watch.js';
import { LogDigest } from './log-digest.js';
import { gapOf, nextPiece, pauseBefore, type LogCap } from './log-plan.js';
import type { SendWindow } from './send-window.js';
import { SpoolFile } from './spool-file.js';
import type { ShippingLogger } from './uplink.js';

/** A growing file is looked at this often while it grows, and ever less while it does not; a write to it is also told. */
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 250;
/** So long it is only looked at, which is cheaper than to be told: most short jobs have ended by then. */
const YOUNG_MS = 100;
/** A few lines never wait for room among the bytes on their way: of each stream they are at most once. */
const FEW_LINES_BYTES = 4 * 1024;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;
/** Failing this often in a row is worth a line for the operator. */
const SETBACKS_TOLD = 6;

export interface LogStreamOptions extends ChunkLineOptions {
  readonly path: string;
  readonly cap: LogCap;
  readonly inFlightMax: number;
  /** Where the last life of the agent stood. */
  readonly startAt: number;
  readonly onAcknowledged: (offset: number) => void;
  readonly window: SendWindow;
  readonly logger: ShippingLogger;
}

/** `gone`: the control plane does not want this log. `stopped`: the agent ends; the next one goes on. */
export type StreamEnd = 'drained' | 'gone' | 'stopped';

/**
 * Carries one stream of one attempt to the control plane. The file is the spool: nothing is taken from the job, and
 * nothing is kept in memory beyond what is in flight.
 *
 * ```
 *             probing ── first chunk taken ──> flowing (many chunks in flight)
 *                ^                                │
 *                └──── anything else: go back to where the server stands
 * ```
 */
export class LogStream {
  private readonly bell = new Bell();
  private readonly stopping = new AbortController();
  private readonly digest: LogDigest;
  private readonly file: SpoolFile;
  private readonly watch: GrowthWatch;
  private readonly line: ChunkLine;
  private position: number;
  private acknowledged: number;
  /** Raised whenever sending starts over: answers to what was sent before then no longer count. */
  private generation = 0;
  private isProbing = true;
  private inFlight = 0;
  private sentMs = Number.NEGATIVE_INFINITY;
  private readonly bornMs: number;
  private setbacks = 0;
  private notBeforeMs = 0;
  /** Nothing will be added; from the next look on `finalBytes` says how much there is. */
  private isFinished = false;
  private finalBytes: number | null = null;
  private isGone = false;
  private isIdle = false;
  private lookMs = LOOK_MS_MIN;

  /** Settles when there is nothing left to do; never rejects. */
  readonly ended: Promise<StreamEnd>;

  constructor(private readonly options: LogStreamOptions) {
    this.digest = new LogDigest(options.cap);
    this.file = new SpoolFile(options.path);
    this.line = new ChunkLine(options);
    this.watch = new GrowthWatch(options.path, () => this.wake());
    this.bornMs = options.clock.monotonicMs();
    this.position = options.startAt;
    this.acknowledged = options.startAt;
    this.ended = this.run();
  }

  get acknowledgedBytes(): number {
    return this.acknowledged;
  }

  /** True when, at the last look, everything that may be sent now was acknowledged, or nothing ever will be. */
  get isCaughtUp(): boolean {
    return this.isIdle;
  }

  /**
   * Nothing will be added any more: answers with the proof of the whole stream. What is missing goes on being sent, also
   * when the proof cannot be made.
   *
   * @throws when the file cannot be read
   */
  async finish(): Promise<LogProof> {
    try {
      return await this.digest.seal(this.file, this.file.size());
    } finally {
      this.isFinished = true;
      this.wake();
      if (this.isGone) await this.file.close();
    }
  }

  /** Ends without finishing; what was acknowledged stays acknowledged. Resolves when the file is closed. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The log stream was stopped.'));
    this.bell.ring();
    await this.ended;
  }

  /** Looks at the file and the connection now instead of at the next look. */
  wake(): void {
    this.isIdle = this.isGone;
    this.lookMs = LOOK_MS_MIN;
    this.bell.ring();
  }

  private async run(): Promise<StreamEnd> {
    // The first look comes a moment later: most short jobs have ended by then and are read once.
    await this.bell.wait(LOOK_MS_MIN);
    for (;;) {
      if (this.stopping.signal.aborted) return await this.close('stopped');
      if (this.isGone) return await this.close('gone');
      try {
        if (await this.round()) return await this.close('drained');
      } catch (error) {
        if (!this.stopping.signal.aborted) this.onSetback(error);
      }
    }
  }

  /** Sends one piece, or waits for a reason to send one. True when everything is acknowledged. */
  private async round(): Promise<boolean> {
    const { uplink, clock, cap } = this.options;
    const pauseMs = this.notBeforeMs - clock.monotonicMs();
    if (pauseMs > 0) return await this.rest(pauseMs);
    if (this.isFinished) this.finalBytes ??= this.file.size();
    const isFinal = this.finalBytes !== null;
    const sizeBytes = this.finalBytes ?? this.file.size();
    if (!isFinal) await this.freeDisk(sizeBytes);
    const pieceBytesMax = uplink.logChunkBytesMax;
    const piece = nextPiece(cap, { position: this.position, sizeBytes, isFinal, pieceBytesMax });
    if (piece.kind === 'drained' && this.inFlight === 0) return true;
    this.isIdle = piece.kind === 'wait' && this.inFlight === 0;
    if (piece.kind === 'wait' || piece.kind === 'drained') return await this.waitForMore(sizeBytes);
    // A file that still grows is looked at while nothing can be sent, too: its cap is held by looking.
    if (!uplink.isUp) {
      if (isFinal) await this.file.close();
      return await this.rest(isFinal ? RETRY_MS_MAX : LOOK_MS_MAX);
    }
    const waitMs = this.pauseBefore(isFinal || piece.length === pieceBytesMax);
    if (waitMs > 0) return await this.rest(Math.min(waitMs, LOOK_MS_MAX));
    this.lookMs = LOOK_MS_MIN;
    await this.send(piece);
    return false;
  }

  private async waitForMore(sizeBytes: number): Promise<false> {
    // Beyond the head nothing is sent before the end, however much is written.
    const isWanted = this.finalBytes === null && sizeBytes < this.options.cap.headBytes;
    const isYoung = this.options.clock.monotonicMs() - this.bornMs < YOUNG_MS;
    if (isWanted && !isYoung && !this.watch.isSet && this.watch.set()) return false;
    if (isYoung) return await this.rest(LOOK_MS_MIN);
    if (this.inFlight > 0) return await this.rest(LOOK_MS_MAX);
    const lookMs = this.lookMs;
    this.lookMs = Math.min(LOOK_MS_MAX, lookMs * 1.5);
    return await this.rest(lookMs);
  }

  private async rest(timeoutMs: number): Promise<false> {
    await this.bell.wait(timeoutMs);
    return false;
  }

  private pauseBefore(isWhole: boolean): number {
    const { isProbing, inFlight, options } = this;
    const sinceSentMs = options.clock.monotonicMs() - this.sentMs;
    return pauseBefore({ isWhole, isProbing, inFlight, inFlightMax: options.inFlightMax, sinceSentMs });
  }

  /** Reads a piece and lets it go its way: while it is compressed and sent, the next one is read. */
  private async send(piece: SendablePiece): Promise<void> {
    const { window } = this.options;
    const generation = this.generation;
    const sizeBytes = piece.kind === 'gap' ? 1 : piece.length;
    const weight = sizeBytes <= FEW_LINES_BYTES ? 0 : sizeBytes;
    if (weight > 0) await window.take(weight, this.stopping.signal);
    try {
      const raw = await this.readOn(piece);
      // Answers may have moved the position while the bytes were being read.
      if (generation === this.generation) return void this.deliver(piece, raw, weight);
    } catch (error) {
      window.giveBack(weight);
      throw error;
    }
    window.giveBack(weight);
  }

  private async readOn({ kind, offset, length }: SendablePiece): Promise<Buffer | null> {
    if (kind === 'gap') return null;
    const raw = await this.file.read(offset, length);
    this.digest.pass(offset, raw);
    return raw;
  }

  /** Waits for the answer to one chunk; many of these run at once. Never rejects. */
  private async deliver(piece: SendablePiece, raw: Buffer | null, weight: number): Promise<void> {
    const { window, clock } = this.options;
    const generation = this.generation;
    this.position = piece.offset + piece.length;
    this.sentMs = clock.monotonicMs();
    this.inFlight += 1;
    try {
      const { ack, tookMs } = await this.line.send(piece, raw, () => generation === this.generation);
      window.learn(weight, tookMs, clock.monotonicMs());
      this.onAck(generation, piece, ack);
    } catch (error) {
      if (generation === this.generation) this.onSetback(error);
    } finally {
      window.giveBack(weight);
      this.inFlight -= 1;
      this.bell.ring();
    }
  }

  private onAck(generation: number, piece: SendablePiece, ack: LogAck): void {
    if ('gone' in ack) {
      this.isGone = true;
      return;
    }
    if (generation !== this.generation) return;
    if ('retryAfterMs' in ack) {
      this.startOver(this.acknowledged);
      this.notBeforeMs = this.options.clock.monotonicMs() + ack.retryAfterMs;
      return;
    }
    const { storedLength } = ack;
    if (storedLength >= piece.offset + piece.length) {
      this.acknowledge(Math.max(storedLength, this.acknowledged));
      if (storedLength > this.position) this.startOver(storedLength);
      this.isProbing = false;
      this.setbacks = 0;
      return;
    }
    // The chunk was not stored. The server says where it stands, and sending goes on there; without haste when the chunk
    // was exactly what it asked for.
    if (storedLength === piece.offset || !this.isProbing) this.delayNext();
    this.acknowledge(storedLength);
    this.startOver(storedLength);
  }

  private acknowledge(offset: number): void {
    if (offset === this.acknowledged) return;
    this.acknowledged = offset;
    this.options.onAcknowledged(offset);
  }

  private startOver(position: number): void {
    this.generation += 1;
    this.position = position;
    this.isProbing = true;
  }

  /** Nobody knows what was stored: wait a little, longer each time, and ask with the next chunk. */
  private onSetback(error: unknown): void {
    const { logger, stream, ref } = this.options;
    const fields = { err: error, stream, attemptId: ref().attemptId, offset: this.acknowledged };
    if (this.setbacks === SETBACKS_TOLD) logger.warn(fields, 'log chunk keeps failing');
    else logger.debug(fields, 'log chunk not acknowledged');
    this.startOver(this.acknowledged);
    this.delayNext();
  }

  private delayNext(): void {
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.setbacks, 10));
    this.setbacks += 1;
    this.notBeforeMs = this.options.clock.monotonicMs() + delayMs;
  }

  private async freeDisk(sizeBytes: number): Promise<void> {
    const hole = gapOf(this.options.cap, sizeBytes);
    if (hole.start < hole.end) await this.file.free(hole.start, hole.end);
  }

  private async close(end: StreamEnd): Promise<StreamEnd> {
    this.isIdle = true;
    this.watch.clear();
    await this.file.close();
    return end;
  }
}
