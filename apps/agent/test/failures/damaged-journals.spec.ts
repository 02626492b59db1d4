import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AttemptDirectory, ATTEMPT_FILES } from '../../src/supervisor/attempt-directory.js';
import { readBootId } from '../../src/supervisor/process-identity.js';
import type { RecoveredExecution } from '../../src/execution/execution-types.js';
import { aStateDir, ManagerHarness, removeStateDir } from '../process/manager-harness.js';

jest.setTimeout(180_000);

/** What a power cut may leave of a file. */
const DAMAGES: [string, (path: string) => void][] = [
  ['empty', (path) => truncateSync(path, 0)],
  ['cut in half', (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2))],
  ['full of zeros', (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length))],
  ['full of other bytes', (path) => writeFileSync(path, Buffer.alloc(4_096, '{"a":[\0\xff}\n', 'latin1'))],
];
/** The records in which an agent finds what it has to remember. */
const RECORDS = ['intent', 'run', 'status', 'ident', 'go', 'end'] as const;

describe('a journal after a power cut', () => {
  let stateDir: string;
  beforeEach(() => {
    stateDir = aStateDir();
  });
  afterEach(() => removeStateDir(stateDir));

  const directoriesOf = (): AttemptDirectory[] =>
    readdirSync(join(stateDir, 'attempts')).map((name) => new AttemptDirectory(join(stateDir, 'attempts', name)));
  const recover = async (): Promise<readonly RecoveredExecution[]> => {
    const harness = await ManagerHarness.open({ stateDir, slots: 8 });
    try {
      const found = await harness.manager.recover();
      expect(harness.manager.slots()).toEqual({ total: 8, free: 8, quarantined: 0 });
      return found;
    } finally {
      await harness.manager.close();
    }
  };
  /** Ended jobs whose ends nobody acknowledged yet. */
  const leaveBehind = async (count: number): Promise<void> => {
    const harness = await ManagerHarness.open({ stateDir, slots: 8 });
    const ids = await Promise.all(Array.from({ length: count }, () => harness.begin({ run: { shell: 'exit 7' } })));
    for (const id of ids) await harness.end(id);
    await harness.manager.close();
  };
  const exitOf = (found: RecoveredExecution): unknown =>
    found.kind === 'ended' ? (found.view.end?.exit?.code ?? found.view.end?.outcome) : found.kind;

  it.each(DAMAGES)(
    'of which any one record is %s costs that attempt at most, and never makes up an exit',
    async (_how, damage) => {
      await leaveBehind(RECORDS.length + 1);
      const [whole, ...damaged] = directoriesOf();
      damaged.forEach((directory, index) => {
        const record = RECORDS[index] ?? 'intent';
        const path = directory.file(record);
        if (existsSync(path)) damage(path);
      });

      const found = await recover();
      const exits = found.map((one) => [one.kind === 'neverStarted' ? '' : one.view.executionId, exitOf(one)]);
      expect(exits).toContainEqual([whole?.path.split('/').at(-1), 7]);
      for (const [, exit] of exits) expect([7, 'lost', 'failed', 'neverStarted']).toContain(exit);
      // What cannot be read as an intent is no promise to anybody and is gone.
      expect(found.length).toBeGreaterThanOrEqual(RECORDS.length);
    },
  );

  /** A directory is made of what another execution left, and its records are written over those: that may be undone. */
  describe('that brings back what another execution left in its place', () => {
    let directory: AttemptDirectory;
    beforeEach(async () => {
      await leaveBehind(1);
      const [left] = directoriesOf();
      if (!left) throw new Error('There is no directory.');
      directory = left;
    });
    const noteEarlierBoot = (): void => {
      const ident = readFileSync(directory.file('ident'), 'latin1');
      writeFileSync(directory.file('ident'), ident.replace(readBootId(), '00000000-0000-0000-0000-000000000000'));
    };

    it('is no journal when the intent is the one brought back', async () => {
      const [before, now] = [directory, new AttemptDirectory(join(dirname(directory.path), 'exe-of-the-next'))];
      cpSync(before.path, now.path, { recursive: true });
      expect(await recover()).toMatchObject([{ view: { executionId: basename(before.path) } }]);
      expect(existsSync(now.path)).toBe(false);
    });

    it('is still the journal of an agent that noted no name in the intent', async () => {
      const { executionId, ...intent } = JSON.parse(readFileSync(directory.file('intent'), 'utf8')) as Record<
        string,
        unknown
      >;
      writeFileSync(directory.file('intent'), JSON.stringify(intent));
      expect(await recover()).toMatchObject([{ view: { executionId, end: { exit: { code: 7 } } } }]);
    });

    it('tells nobody of an end from before its own start', async () => {
      noteEarlierBoot();
      writeFileSync(directory.file('status'), 'x 0 0.01 .\n');
      expect((await recover()).map(exitOf)).toEqual(['lost']);
    });

    it('tells nobody of an end when it was never started', async () => {
      for (const name of ['ident', 'output'] as const) rmSync(directory.file(name));
      writeFileSync(directory.file('status'), 'x 0 0.01 .\n');
      expect((await recover()).map(exitOf)).toEqual(['neverStarted']);
    });

    it('neither takes an end on trust nor says that nothing ran, when its claim is lost', async () => {
      truncateSync(directory.file('ident'), 0);
      utimesSync(directory.file('ident'), 1, 1);
      expect((await recover()).map(exitOf)).toEqual(['lost']);
    });

    it('gives back what a full disk let nobody claim, and let nobody forbid in so many words', async () => {
      for (const name of ['ident', 'output', 'go'] as const) writeFileSync(directory.file(name), '');
      rmSync(directory.file('status'));
      expect((await recover()).map(exitOf)).toEqual(['neverStarted']);
    });
  });

  it('delivers what had exited before the machine was restarted, with its exit', async () => {
    await leaveBehind(1);
    const [directory] = directoriesOf();
    if (!directory) throw new Error('There is no directory.');
    const ident = readFileSync(directory.file('ident'), 'latin1');
    writeFileSync(directory.file('ident'), ident.replace(readBootId(), '00000000-0000-0000-0000-000000000000'));

    expect(await recover()).toMatchObject([{ kind: 'ended', view: { end: { exit: { code: 7, signal: null } } } }]);
    expect(Object.keys(ATTEMPT_FILES)).toEqual(expect.arrayContaining([...RECORDS]));
  });
});
