import { rm } from 'node:fs/promises';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { readSmallJson, replaceJson } from './small-json.js';

interface PauseRecord {
  /** Seconds on the boot clock; null while it runs. */
  readonly frozenAtSeconds: number | null;
  readonly frozenMsTotal: number;
}

/**
 * Knows how long an execution stood still; on disk, because a run limit must not count it after a restart either. A disk
 * that takes nothing keeps a job from being frozen, never from going on.
 */
export class PauseClock {
  private record: PauseRecord;
  /** The file may say that it stands still. */
  private isFrozenOnDisk = false;

  constructor(private readonly directory: AttemptDirectory) {
    this.record = { frozenAtSeconds: null, frozenMsTotal: 0 };
  }

  /** For an execution that an earlier agent may have frozen. */
  load(): void {
    this.record = readSmallJson<PauseRecord>(this.directory.file('pause')) ?? this.record;
    this.isFrozenOnDisk = this.isFrozen;
  }

  get isFrozen(): boolean {
    return this.record.frozenAtSeconds !== null;
  }

  /**
   * Before the first process is stopped: a crash in between thaws too often rather than never. Rejects when it cannot be
   * written down; then it runs as far as anybody knows.
   */
  async freeze(nowSeconds: number): Promise<void> {
    if (this.isFrozen) return;
    const record = { ...this.record, frozenAtSeconds: nowSeconds };
    this.isFrozenOnDisk = true;
    await replaceJson(this.directory.file('pause'), record);
    this.record = record;
  }

  /** After the last process goes on, so it counts as running whatever the disk says. */
  async thaw(nowSeconds: number): Promise<void> {
    if (this.isFrozen) this.record = { frozenAtSeconds: null, frozenMsTotal: this.frozenMs(nowSeconds) };
    if (!this.isFrozenOnDisk) return;
    await this.writeRunning();
    this.isFrozenOnDisk = false;
  }

  frozenMs(nowSeconds: number): number {
    const { frozenAtSeconds, frozenMsTotal } = this.record;
    return frozenMsTotal + (frozenAtSeconds === null ? 0 : Math.max(0, nowSeconds - frozenAtSeconds) * 1_000);
  }

  /** A full disk takes no file but gives one back: a successor then counts the pause as run, and stops nobody. */
  private async writeRunning(): Promise<void> {
    const file = this.directory.file('pause');
    try {
      await replaceJson(file, this.record);
    } catch {
      await rm(file, { force: true });
    }
  }
}
