import { execFile } from 'node:child_process';
import { readSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** The file system gives and takes blocks; smaller holes free nothing. */
const BLOCK_BYTES = 4096;
/** A hole is cut only when it frees at least this much: each cut starts a process. */
const HOLE_BYTES_MIN = 8 * 1024 * 1024;
/** As much as is read without the thread pool: it was just written, so it is in memory. */
const AT_HAND_BYTES_MAX = 16 * 1024;

/** The file a job writes to and a shipper reads from. It may not be there yet, or never come to be: then it is empty. */
export class SpoolFile {
  private opening: Promise<FileHandle> | null = null;
  private freedTo = 0;
  private canFree = process.platform === 'linux';

  constructor(readonly path: string) {}

  /**
   * Its length now. Asked without the thread pool: the answer is in memory for a file that is being written, and a trip
   * through the pool costs more than most short jobs print.
   */
  size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Reads exactly `length` bytes into a buffer of its own. Throws when the file holds fewer. */
  async read(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    const file = await this.opened();
    for (let filled = 0; filled < length;) {
      const isAtHand = length <= AT_HAND_BYTES_MAX;
      const bytesRead = isAtHand
        ? readSync(file.fd, buffer, filled, length - filled, offset + filled)
        : (await file.read(buffer, filled, length - filled, offset + filled)).bytesRead;
      if (bytesRead === 0) throw new Error(`${this.path} ends before byte ${offset + length}.`);
      filled += bytesRead;
    }
    return buffer;
  }

  /**
   * Gives a range back to the disk; the file keeps its length and reads zeros there. `start` is the same at every call,
   * `end` grows. Answers false once it proved impossible (not Linux, no `fallocate`, a file system that cannot): then the
   * bytes stay and the disk guard applies.
   */
  async free(start: number, end: number): Promise<boolean> {
    const from = Math.ceil(Math.max(start, this.freedTo) / BLOCK_BYTES) * BLOCK_BYTES;
    const to = Math.floor(end / BLOCK_BYTES) * BLOCK_BYTES;
    if (!this.canFree || to - from < HOLE_BYTES_MIN) return this.canFree;
    const range = ['--offset', String(from), '--length', String(to - from)];
    this.canFree = await new Promise<boolean>((resolve) => {
      execFile('fallocate', ['--punch-hole', ...range, this.path], (error) => resolve(error === null));
    });
    if (this.canFree) this.freedTo = to;
    return this.canFree;
  }

  /** The file is opened again when it is needed again. */
  async close(): Promise<void> {
    const file = await this.opening?.catch(() => null);
    this.opening = null;
    await file?.close().catch(() => undefined);
  }

  private opened(): Promise<FileHandle> {
    this.opening ??= open(this.path, 'r').catch((error: unknown) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }
}
