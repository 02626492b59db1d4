import { stat } from 'node:fs/promises';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';

/** Notices when the output last grew, on the execution's own run clock. */
export class OutputWatch {
  private bytes = 0;
  private grewAtMs = 0;
  private readonly paths: readonly string[];

  constructor(directory: AttemptDirectory, isSeparate: boolean) {
    this.paths = isSeparate ? [directory.file('stdout'), directory.file('stderr')] : [directory.file('output')];
  }

  async look(ranMs: number): Promise<void> {
    const sizes = await Promise.all(
      this.paths.map((path) =>
        stat(path).then(
          (found) => found.size,
          () => 0,
        ),
      ),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.grewAtMs = ranMs;
  }

  grewAt(ranMs: number): void {
    this.grewAtMs = ranMs;
  }

  silentMs(ranMs: number): number {
    return ranMs - this.grewAtMs;
  }
}
