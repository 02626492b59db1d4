import type { AttemptRef } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { Bell } from './bell.js';
import { METRIC_BATCH_BYTES_MAX, nextMetricBatch } from './metric-lines.js';
import { SpoolFile } from './spool-file.js';
import type { ShippingLogger, ShippingUplink } from './uplink.js';

const LOOK_MS_MIN = 100;
const LOOK_MS_MAX = 1_000;
const RETRY_MS_MAX = 5_000;

export interface MetricShipperOptions {
  readonly uplink: ShippingUplink;
  readonly clock: Clock;
  readonly logger: ShippingLogger;
}

/**
 * Carries the points that jobs append to `MUSTER_METRICS`, one batch in flight per attempt. As with logs, the file is the
 * spool and the control plane says where it stands; a restart begins at 0 and is told by the first answer.
 */
export class MetricShipper {
  private readonly followed = new Map<string, MetricFile>();
  private readonly stopListening: () => void;

  constructor(private readonly options: MetricShipperOptions) {
    this.stopListening = options.uplink.onUp(() => this.wakeAll());
  }

  /** Begins to carry a file. Following twice changes nothing. */
  follow(key: string, ref: AttemptRef, path: string): void {
    if (!this.followed.has(key)) this.followed.set(key, new MetricFile(ref, path, this.options));
  }

  rebind(key: string, ref: AttemptRef): void {
    const file = this.followed.get(key);
    if (file) file.ref = ref;
  }

  /** Nothing will be added any more. Resolves when all is stored, or when this shipper forgets the file or stops. */
  async finish(key: string): Promise<void> {
    await this.followed.get(key)?.finish();
  }

  async forget(key: string): Promise<void> {
    const file = this.followed.get(key);
    this.followed.delete(key);
    await file?.stop();
  }

  async stop(): Promise<void> {
    this.stopListening();
    await Promise.all([...this.followed.keys()].map((key) => this.forget(key)));
  }

  private wakeAll(): void {
    for (const file of this.followed.values()) file.wake();
  }
}

class MetricFile {
  private readonly bell = new Bell();
  private readonly file: SpoolFile;
  private readonly ended: Promise<void>;
  private position = 0;
  private failures = 0;
  /** Where a batch begins that the control plane could not read. */
  private unreadableAt: number | null = null;
  private lookMs = LOOK_MS_MIN;
  private isFinal = false;
  private isStopped = false;

  constructor(
    public ref: AttemptRef,
    path: string,
    private readonly options: MetricShipperOptions,
  ) {
    this.file = new SpoolFile(path);
    this.ended = this.run();
  }

  finish(): Promise<void> {
    this.isFinal = true;
    this.wake();
    return this.ended;
  }

  stop(): Promise<void> {
    this.isStopped = true;
    this.bell.ring();
    return this.ended;
  }

  wake(): void {
    this.lookMs = LOOK_MS_MIN;
    this.bell.ring();
  }

  private async run(): Promise<void> {
    await this.bell.wait(LOOK_MS_MIN);
    while (!this.isStopped) {
      try {
        if (await this.round()) break;
      } catch (error) {
        if (!this.isUnreadable(error)) await this.pause(error);
        else if (!this.passOver(error)) break;
      }
    }
    await this.file.close();
  }

  private isUnreadable(error: unknown): boolean {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'invalidMessage';
  }

  /** The batch goes once more, without its points. False when there is no use in that: then the rest stays on this machine. */
  private passOver(error: unknown): boolean {
    const fields = { err: error, attemptId: this.ref.attemptId, offset: this.position };
    const isFirst = this.unreadableAt !== this.position;
    this.unreadableAt = this.position;
    this.options.logger.warn(fields, isFirst ? 'metrics refused: one batch is passed over' : 'metrics given up');
    return isFirst;
  }

  /** Longer each time. */
  private async pause(error: unknown): Promise<void> {
    this.options.logger.debug({ err: error, attemptId: this.ref.attemptId }, 'metrics not acknowledged');
    this.failures += 1;
    await this.bell.wait(Math.min(RETRY_MS_MAX, LOOK_MS_MIN * 2 ** Math.min(this.failures, 10)));
  }

  /** True when the file is final and stored as a whole. */
  private async round(): Promise<boolean> {
    const { uplink, clock } = this.options;
    const isFinal = this.isFinal;
    const sizeBytes = this.file.size();
    if (isFinal && this.position >= sizeBytes) return true;
    if (!uplink.isUp) await this.bell.wait(RETRY_MS_MAX);
    const length = Math.min(METRIC_BATCH_BYTES_MAX, Math.max(0, sizeBytes - this.position));
    const bytes = uplink.isUp && length > 0 ? await this.file.read(this.position, length) : Buffer.alloc(0);
    const readAt = new Date(clock.nowMs()).toISOString();
    const reachesEnd = isFinal && this.position + length === sizeBytes;
    const { points: found, rawLength } = nextMetricBatch(bytes, reachesEnd, readAt);
    if (rawLength === 0) {
      await this.bell.wait(this.lookMs);
      this.lookMs = Math.min(LOOK_MS_MAX, this.lookMs * 2);
      return false;
    }
    const points = this.position === this.unreadableAt ? [] : found;
    const { attemptId, epoch } = this.ref;
    const { storedLength } = await uplink.appendMetrics({ attemptId, epoch, offset: this.position, rawLength, points });
    if (storedLength === this.position) throw new Error('The batch was not stored.');
    this.position = storedLength;
    this.failures = 0;
    this.lookMs = LOOK_MS_MIN;
    return false;
  }
}
