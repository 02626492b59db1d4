import { watch, type FSWatcher } from 'node:fs';

/**
 * Tells once that a file was written to. It saves waiting for the next look, and is never the only reason to look: a file
 * system may not tell, and there may be no watch left to have.
 */
export class GrowthWatch {
  private watcher: FSWatcher | null = null;
  private isPossible = true;

  constructor(
    private readonly path: string,
    private readonly onGrown: () => void,
  ) {}

  get isSet(): boolean {
    return this.watcher !== null;
  }

  /** From now on one write is told. Look at the file afterwards: what was written before is not. False when it cannot be. */
  set(): boolean {
    if (this.watcher !== null) return true;
    if (!this.isPossible) return false;
    try {
      this.watcher = watch(this.path, { persistent: false }, () => this.grown());
      this.watcher.on('error', () => this.giveUp());
      return true;
    } catch (error) {
      // A file that is not there yet may come to be; whatever else is wrong stays so.
      if (!isMissing(error)) this.isPossible = false;
      return false;
    }
  }

  clear(): void {
    this.watcher?.close();
    this.watcher = null;
  }

  private grown(): void {
    if (this.watcher === null) return;
    this.clear();
    this.onGrown();
  }

  private giveUp(): void {
    this.isPossible = false;
    this.grown();
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
