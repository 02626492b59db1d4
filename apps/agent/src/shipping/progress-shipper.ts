import type { AttemptRef } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { Bell } from './bell.js';
import { ProgressBudget } from './progress-budget.js';
import { newestProgress, type ProgressLine } from './progress-line.js';
import { SpoolFile } from './spool-file.js';
import type { ShippingLogger, ShippingUplink } from './uplink.js';

const LOOK_MS_MIN = 250;
const LOOK_MS_MAX = 1_000;
/** The last line of a job is tried this often, a second apart. */
const LAST_TRIES = 10;
/** The newest line is looked for in this much of the file's end. */
const TAIL_BYTES = 4_096;

/**
 * Tells the control plane the newest line of each `MUSTER_PROGRESS` file, at most four times a second each and 25
 * times in all. The latest wins and any of them may be lost, so nothing is retried but the last.
 */
export class ProgressShipper {
  private readonly followed = new Map<string, ProgressFile>();

  private readonly budget = new ProgressBudget();

  constructor(
    readonly uplink: ShippingUplink,
    readonly clock: Clock,
    readonly logger: ShippingLogger,
  ) {}

  /** True when one more may be told now. */
  mayTell(): boolean {
    return this.budget.take(this.clock.monotonicMs());
  }

  /** Begins to watch a file. Following twice changes nothing. */
  follow(key: string, ref: AttemptRef, path: string): void {
    if (!this.followed.has(key)) this.followed.set(key, new ProgressFile(ref, path, this));
  }

  rebind(key: string, ref: AttemptRef): void {
    const file = this.followed.get(key);
    if (file) file.ref = ref;
  }

  /** Looks once more, then lets go of the file. */
  async finish(key: string): Promise<void> {
    const file = this.followed.get(key);
    this.followed.delete(key);
    await file?.finish();
  }

  async stop(): Promise<void> {
    const files = [...this.followed.values()];
    this.followed.clear();
    await Promise.all(files.map((file) => file.stop()));
  }
}

interface News {
  readonly line: ProgressLine;
  /** How much of the file it stands for. */
  readonly sizeBytes: number;
}

class ProgressFile {
  private readonly bell = new Bell();
  private readonly file: SpoolFile;
  private readonly ended: Promise<void>;
  private toldBytes = 0;
  private lookMs = LOOK_MS_MIN;
  private isFinal = false;
  private isStopped = false;

  constructor(
    public ref: AttemptRef,
    path: string,
    private readonly shipper: ProgressShipper,
  ) {
    this.file = new SpoolFile(path);
    this.ended = this.run();
  }

  finish(): Promise<void> {
    this.isFinal = true;
    return this.stop();
  }

  stop(): Promise<void> {
    this.isStopped = true;
    this.bell.ring();
    return this.ended;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      await this.bell.wait(this.lookMs);
      if (!this.isStopped) await this.tell(await this.read());
    }
    if (this.isFinal) await this.tellLast();
    await this.file.close();
  }

  /** Read once, at once, because the file is about to be removed; told until it is heard, a few times. */
  private async tellLast(): Promise<void> {
    const last = await this.read();
    for (let tries = 0; tries < LAST_TRIES && !(await this.tell(last)); tries += 1) await pause(LOOK_MS_MAX);
  }

  /** The newest line, unless it was told before. */
  private async read(): Promise<News | null> {
    try {
      const sizeBytes = this.file.size();
      this.lookMs = sizeBytes > this.toldBytes ? LOOK_MS_MIN : Math.min(LOOK_MS_MAX, this.lookMs * 2);
      if (sizeBytes <= this.toldBytes) return null;
      const start = Math.max(0, sizeBytes - TAIL_BYTES);
      const text = (await this.file.read(start, sizeBytes - start)).toString('utf8');
      const line = newestProgress(text, this.isFinal);
      return line && { line, sizeBytes };
    } catch (error) {
      this.shipper.logger.debug({ err: error, attemptId: this.ref.attemptId }, 'progress not read');
      return null;
    }
  }

  /** True when there is nothing left to tell. */
  private async tell(news: News | null): Promise<boolean> {
    if (!news) return true;
    if (!this.shipper.uplink.isUp || !this.shipper.mayTell()) return false;
    try {
      const { attemptId, epoch } = this.ref;
      await this.shipper.uplink.sendProgress({ attemptId, epoch, ...news.line });
      this.toldBytes = news.sizeBytes;
      return true;
    } catch (error) {
      this.shipper.logger.debug({ err: error, attemptId: this.ref.attemptId }, 'progress not told');
      return false;
    }
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs).unref();
  });
}
