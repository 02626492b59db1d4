import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_NAME = 'shipped.json';

/** Written again only after this much more was acknowledged: the journal saves resending, it is not the truth. */
const STEP_BYTES = 4 * 1024 * 1024;

/**
 * Remembers beside a log how far the control plane has acknowledged it. Only a hint for the next start of the agent: the
 * answer to the first chunk says where the server really stands.
 */
export class ShippedJournal {
  private readonly path: string;
  private readonly offsets: Record<string, number> = {};
  private writtenSum = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.path = join(directory, FILE_NAME);
  }

  /** Reads what an earlier life wrote. Anything unreadable counts as nothing. */
  async load(): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch(() => '{}');
    for (const [stream, offset] of Object.entries(parse(text))) {
      if (Number.isSafeInteger(offset) && Number(offset) >= 0) this.offsets[stream] = Number(offset);
    }
    this.writtenSum = this.sum();
  }

  offsetOf(stream: string): number {
    return this.offsets[stream] ?? 0;
  }

  note(stream: string, offset: number): void {
    this.offsets[stream] = offset;
    if (Math.abs(this.sum() - this.writtenSum) >= STEP_BYTES) void this.flush();
  }

  /** Resolves when everything noted is in the file, or could not be written (the directory may be gone). */
  flush(): Promise<void> {
    const sum = this.sum();
    if (sum === this.writtenSum) return this.writing;
    this.writtenSum = sum;
    const text = JSON.stringify(this.offsets);
    this.writing = this.writing.then(() => writeFile(this.path, text, { mode: 0o600 }).catch(() => undefined));
    return this.writing;
  }

  private sum(): number {
    return Object.values(this.offsets).reduce((total, offset) => total + offset, 0);
  }
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
