import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SIZE_MIB = 24;

/** A file system of a few MiB for one agent's state; only root can make one. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** Null, with the reason for people, where it cannot be made. */
  static mount(folder: string): SmallDisk | { readonly why: string } {
    mkdirSync(folder, { mode: 0o700 });
    const args = ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=700`, 'muster-chaos', folder];
    const { status, error, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
    if (status === 0) return new SmallDisk(folder);
    return { why: `a tmpfs cannot be mounted here (${error?.message ?? stderr.trim()})` };
  }

  /** Until the last byte. */
  fill(): void {
    const file = openSync(this.filler, 'a', 0o600);
    try {
      for (let piece = 1024 * 1024; piece >= 1;) {
        try {
          writeSync(file, Buffer.alloc(piece));
        } catch {
          piece = Math.floor(piece / 16);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.filler, { force: true });
  }

  unmount(): void {
    // Lazily: what still has a file open there must not keep the folder from being removed.
    spawnSync('umount', ['-l', this.folder]);
  }

  private get filler(): string {
    return join(this.folder, 'filler');
  }
}
