import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { readEnd, toEnd, writeEnd, type EndInputs } from './end-record.js';
import type { ExecutionEnd } from './execution-types.js';
import { UsageMeter } from './usage.js';

describe('the record of an end', () => {
  let directory: AttemptDirectory;
  beforeEach(() => {
    directory = new AttemptDirectory(mkdtempSync(join(tmpdir(), 'muster-end-')));
    writeFileSync(directory.file('ident'), 's b-1 10 100\ni 11 101 1.01 .\n');
  });
  afterEach(() => rmSync(directory.path, { recursive: true, force: true }));

  it('is whole at every moment at which it is there', async () => {
    const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
    const end: ExecutionEnd = {
      outcome: 'spawnFailed',
      exit: null,
      detail: 'x'.repeat(60_000),
      usage,
      leftovers: 0,
      containment: 'group',
      ranMs: null,
    };
    for (let round = 0; round < 30; round++) {
      rmSync(directory.file('end'), { force: true });
      let isWritten = false;
      const writing = writeEnd(directory, end).finally(() => (isWritten = true));
      while (!isWritten) {
        if (existsSync(directory.file('end')))
          expect(readFileSync(directory.file('end'), 'utf8')).toBe(JSON.stringify(end));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writing;
    }
    expect(readEnd(directory)).toEqual(end);
  });

  const ended = (): ExecutionEnd => {
    const inputs: EndInputs = {
      directory,
      stop: null,
      lost: null,
      isUnkillable: false,
      rung: 'group',
      signalKnown: true,
      outOfMemory: false,
      leftovers: 0,
      startedAtSeconds: 1,
      part: {},
      meter: new UsageMeter(),
    };
    return toEnd(inputs);
  };

  it.each([2, 125, 126, 127])('takes code %i for a program that never was, where the mark says so', (code) => {
    writeFileSync(directory.file('status'), `x ${code} 12.00 .\n`);
    writeFileSync(directory.file('go'), 'job\n');
    expect(ended()).toMatchObject({ outcome: 'failed', exit: { code, signal: null } });
    writeFileSync(directory.file('noexec'), '');
    expect(ended()).toMatchObject({ outcome: 'spawnFailed', exit: null, ranMs: null });
  });

  it.each([
    ['forbidden', { go: 'agent\n' }],
    ['forbidden on a full disk, where it could not be claimed either', { go: '', ident: '' }],
  ])('says of what was %s that it never started', (_how, files) => {
    for (const [name, text] of Object.entries({ intent: '{}', output: '', ...files }))
      writeFileSync(directory.file(name as 'go'), text);
    expect(ended()).toMatchObject({ outcome: 'refused', exit: null });
  });

  it('says of what was claimed and left no status that it is lost', () => {
    for (const name of ['intent', 'output'] as const) writeFileSync(directory.file(name), '');
    expect(ended()).toMatchObject({ outcome: 'lost', exit: null });
  });

  it('takes code 0 for success whatever else lies there', () => {
    writeFileSync(directory.file('status'), 'x 0 12.00 .\n');
    writeFileSync(directory.file('noexec'), '');
    expect(ended()).toMatchObject({ outcome: 'succeeded', exit: { code: 0, signal: null } });
  });

  it('quotes the last line of the output as the program wrote it', () => {
    writeFileSync(directory.file('status'), 'x 126 12.00 .\n');
    writeFileSync(directory.file('noexec'), '');
    writeFileSync(directory.file('output'), 'first\n/opt/größe/プログラム: kaputt\n');
    expect(ended().detail).toBe('The program could not be started: /opt/größe/プログラム: kaputt');
  });
});
