import { createHash, type Hash } from 'node:crypto';
import type { LogProof } from '@muster/protocol';
import { keptRanges, type LogCap } from './log-plan.js';
import type { SpoolFile } from './spool-file.js';

const READ_BYTES = 256 * 1024;

/**
 * SHA-256 of what a log keeps, made while its bytes pass by on their way out. Whatever did not pass by (the agent was
 * restarted, the tail) is read from the file at the end, so the result never depends on what the agent remembers.
 */
export class LogDigest {
  private readonly hash: Hash = createHash('sha256');
  private hashedBytes = 0;
  private isSealed = false;

  constructor(private readonly cap: LogCap) {}

  /** Takes bytes of the head in passing; bytes that do not continue what was taken before are left for `seal`. */
  pass(offset: number, bytes: Uint8Array): void {
    if (this.isSealed || offset !== this.hashedBytes || offset + bytes.length > this.cap.headBytes) return;
    this.hash.update(bytes);
    this.hashedBytes += bytes.length;
  }

  /**
   * The proof of the whole log. Call once, when nothing will be added. `length` counts the gap, the digest leaves it out.
   *
   * @throws when the file cannot be read to its end
   */
  async seal(file: SpoolFile, totalBytes: number): Promise<LogProof> {
    this.isSealed = true;
    for (const range of keptRanges(this.cap, totalBytes)) {
      for (let offset = Math.max(range.start, this.hashedBytes); offset < range.end;) {
        const bytes = await file.read(offset, Math.min(READ_BYTES, range.end - offset));
        this.hash.update(bytes);
        offset += bytes.length;
      }
    }
    return { length: totalBytes, sha256: this.hash.digest('hex') };
  }
}
