import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { readSmallJson, replaceJson } from './small-json.js';

interface PauseRecord {
  /** Seconds on the boot clock; null while it runs. */
  readonly frozenAtSeconds: number | null;
  readonly frozenMsTotal: number;
}

/** Knows how long an execution stood still; on disk, because a run limit must not count it after a restart either. */
export class PauseClock {
  private record: PauseRecord;

  constructor(private readonly directory: AttemptDirectory) {
    this.record = { frozenAtSeconds: null, frozenMsTotal: 0 };
  }

  /** For an execution that an earlier agent may have frozen. */
  load(): void {
    this.record = readSmallJson<PauseRecord>(this.directory.file('pause')) ?? this.record;
  }

  get isFrozen(): boolean {
    return this.record.frozenAtSeconds !== null;
  }

  /** Before the first process is stopped: a crash in between thaws too often rather than never. */
  async freeze(nowSeconds: number): Promise<void> {
    if (this.isFrozen) return;
    await this.write({ ...this.record, frozenAtSeconds: nowSeconds });
  }

  async thaw(nowSeconds: number): Promise<void> {
    if (!this.isFrozen) return;
    await this.write({ frozenAtSeconds: null, frozenMsTotal: this.frozenMs(nowSeconds) });
  }

  frozenMs(nowSeconds: number): number {
    const { frozenAtSeconds, frozenMsTotal } = this.record;
    return frozenMsTotal + (frozenAtSeconds === null ? 0 : Math.max(0, nowSeconds - frozenAtSeconds) * 1_000);
  }

  private async write(record: PauseRecord): Promise<void> {
    this.record = record;
    await replaceJson(this.directory.file('pause'), record);
  }
}
