import { readFileSync } from 'node:fs';
import { KEY_PREFIXES } from '@muster/protocol';

/**
 * The key this agent shows. Where it stands in a file, the file is read again for each connection: a key that people
 * replaced there is taken up without a restart.
 */
export class AgentKey {
  constructor(
    private last: string,
    private readonly path: string | null,
  ) {}

  /** A file that is gone, torn or not a key is passed over: the key before may still work. */
  current(): string {
    const found = this.path === null ? null : readKey(this.path);
    if (found !== null) this.last = found;
    return this.last;
  }

  /** What was shown last. */
  get shown(): string {
    return this.last;
  }
}

function readKey(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text.startsWith(KEY_PREFIXES.worker) ? text : null;
  } catch {
    return null;
  }
}
