import { LIMITS } from '@muster/protocol';
import type { AttemptRef, LogProof } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { toLogCap } from './log-plan.js';
import { LogStream, type StreamEnd } from './log-stream.js';
import { SendWindow } from './send-window.js';
import { ShippedJournal } from './shipped-journal.js';
import type { ShippingLogger, ShippingUplink } from './uplink.js';

export type LogStreamName = 'output' | 'stdout' | 'stderr';

export interface LogSource {
  /** Names the log to this shipper; an execution's id. */
  readonly key: string;
  readonly ref: AttemptRef;
  readonly paths: Readonly<Partial<Record<LogStreamName, string>>>;
  /** Cap of each stream, bytes. */
  readonly capBytes: number;
  /** Where the journal lives: the execution's own directory. */
  readonly directory: string;
  /** Nothing of it was ever sent, so there is no journal to read. */
  readonly isNew: boolean;
}

export interface LogShipperOptions {
  readonly uplink: ShippingUplink;
  readonly clock: Clock;
  readonly logger: ShippingLogger;
  readonly window?: SendWindow;
}

export type LogEnd = StreamEnd;

interface FollowedLog {
  ref: AttemptRef;
  readonly journal: ShippedJournal;
  readonly streams: Promise<readonly { readonly name: LogStreamName; readonly stream: LogStream }[]>;
}

/** Carries the logs of all attempts to the control plane, each from its file, within one window of bytes in flight. */
export class LogShipper {
  private readonly logs = new Map<string, FollowedLog>();
  private readonly window: SendWindow;
  private readonly stopListening: () => void;

  constructor(private readonly options: LogShipperOptions) {
    this.window = options.window ?? new SendWindow();
    this.stopListening = options.uplink.onUp(() => void this.wakeAll());
  }

  /** Begins to carry a log, from where an earlier life of the agent left off. Following twice changes nothing. */
  follow(source: LogSource): void {
    if (this.logs.has(source.key)) return;
    const journal = new ShippedJournal(source.directory);
    const log: FollowedLog = { ref: source.ref, journal, streams: this.startStreams(source, journal, () => log.ref) };
    this.logs.set(source.key, log);
  }

  /** The same bytes now belong to another attempt; the control plane continues the same log under it. */
  rebind(key: string, ref: AttemptRef): void {
    const log = this.logs.get(key);
    if (log) log.ref = ref;
  }

  /**
   * Nothing will be added to this log any more: answers with the proof of each stream that can be read.
   *
   * @throws when the log is not followed
   */
  async finish(key: string): Promise<Partial<Record<LogStreamName, LogProof>>> {
    const log = this.logs.get(key);
    if (!log) throw new Error(`No log is followed under ${key}.`);
    const proofs: Partial<Record<LogStreamName, LogProof>> = {};
    for (const { name, stream } of await log.streams) {
      try {
        proofs[name] = await stream.finish();
      } catch (error) {
        this.options.logger.warn({ err: error, key, stream: name }, 'log cannot be proven');
      }
    }
    return proofs;
  }

  /** Resolves when every byte is acknowledged, the control plane wants none of them, or this agent stops. */
  async whenDrained(key: string): Promise<LogEnd> {
    const streams = (await this.logs.get(key)?.streams) ?? [];
    const ends = await Promise.all(streams.map(({ stream }) => stream.ended));
    return ends.find((end) => end !== 'drained') ?? 'drained';
  }

  /** Stops carrying a log, whatever is missing of it. Its directory may be removed once this resolves. */
  async forget(key: string): Promise<void> {
    const log = this.logs.get(key);
    if (!log) return;
    this.logs.delete(key);
    for (const { stream } of await log.streams) await stream.stop();
    await log.journal.flush();
  }

  /** Resolves when all that was printed so far is acknowledged, or after `timeoutMs`. */
  async flush(timeoutMs: number): Promise<void> {
    const deadlineMs = this.options.clock.monotonicMs() + timeoutMs;
    await this.wakeAll();
    while (this.options.clock.monotonicMs() < deadlineMs && !(await this.isCaughtUp())) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Lets go of all logs and notes where each stands, for the next life of the agent. */
  async stop(): Promise<void> {
    this.stopListening();
    await Promise.all([...this.logs.keys()].map((key) => this.forget(key)));
  }

  /** For the status page. */
  get inFlightBytes(): number {
    return this.window.inFlightBytes;
  }

  private async startStreams(source: LogSource, journal: ShippedJournal, ref: () => AttemptRef) {
    if (!source.isNew) await journal.load();
    const names = (Object.keys(source.paths) as LogStreamName[]).filter((name) => source.paths[name] !== undefined);
    return names.map((name) => ({
      name,
      stream: new LogStream({
        stream: name,
        path: source.paths[name] ?? '',
        cap: toLogCap(source.capBytes),
        ref,
        inFlightMax: Math.floor(LIMITS.logChunksInFlightMax / names.length),
        startAt: journal.offsetOf(name),
        onAcknowledged: (offset) => journal.note(name, offset),
        uplink: this.options.uplink,
        window: this.window,
        clock: this.options.clock,
        logger: this.options.logger,
      }),
    }));
  }

  private async wakeAll(): Promise<void> {
    for (const log of this.logs.values()) for (const { stream } of await log.streams) stream.wake();
  }

  private async isCaughtUp(): Promise<boolean> {
    for (const log of this.logs.values()) {
      for (const { stream } of await log.streams) if (!stream.isCaughtUp) return false;
    }
    return true;
  }
}
