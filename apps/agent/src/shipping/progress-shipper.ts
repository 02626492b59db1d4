import type { AttemptRef } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { Bell } from './bell.js';
import { ProgressBudget } from './progress-budget.js';
import { newestProgress, type ProgressLine } from './progress-line.js';
import { SpoolFile } from './spool-file.js';
import type { ShippingLogger, ShippingUplink } from './uplink.js';

const LOOK_MS_MIN = 250;
const LOOK_MS_MAX = 1_000;
/** For so long the last line of a job is tried again, while the connection is away or others have used up the budget. */
const LAST_MS = 30_000;
/** The newest line is looked for in this much of the file's end. */
const TAIL_BYTES = 4_096;

/**
 * Tells the control plane the newest line of each `MUSTER_PROGRESS` file, at most four times a second each and 25
 * times in all. The latest wins and any of them may be lost, so nothing is retried but the last.
 */
export class ProgressShipper {
  private readonly followed = new Map<string, ProgressFile>();

  private readonly budget = new ProgressBudget();
  private readonly stopping = new AbortController();

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

  /** Aborted when nothing shall be told any more. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  /** Looks once more, then lets go of the file. Resolves when that last line is told or nobody could be told of it. */
  async finish(key: string): Promise<void> {
    const file = this.followed.get(key);
    this.followed.delete(key);
    await file?.finish();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('The progress shipper was stopped.'));
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

  /** Read once, at once, because the file is about to be removed; told until it is heard, for a while. */
  private async tellLast(): Promise<void> {
    const { clock, stopped } = this.shipper;
    const last = await this.read();
    const untilMs = clock.monotonicMs() + LAST_MS;
    while (!(await this.tell(last)) && !stopped.aborted && clock.monotonicMs() < untilMs) {
      await clock.sleep(LOOK_MS_MAX, stopped).catch(() => undefined);
    }
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
