import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptDirectory, type Ident } from './attempt-directory.js';
import { readRecoveryFacts } from './recovery-reader.js';

/** Its job starts right after the look at one of its records. */
class StartsMeanwhile extends AttemptDirectory {
  constructor(
    path: string,
    private readonly after: 'ident' | 'go',
  ) {
    super(path);
  }

  override readIdent(): Ident {
    const ident = super.readIdent();
    if (this.after === 'ident') this.start();
    return ident;
  }

  override readGo(): 'agent' | 'job' | null {
    const go = super.readGo();
    if (this.after === 'go') this.start();
    return go;
  }

  private start(): void {
    writeFileSync(this.file('ident'), 's b-1 10 100\ni 11 101 1.01 .\n');
    writeFileSync(this.file('output'), '');
  }
}

describe('the facts about an execution that starts at this moment', () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'muster-facts-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  it.each(['ident', 'go'] as const)(
    'never hold its start without its claim, also when it falls behind the look at %s',
    (after) => {
      const { go, ident } = readRecoveryFacts(new StartsMeanwhile(path, after));
      expect(go === null || ident.job !== null).toBe(true);
    },
  );
});
