import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { PauseClock } from './pause-clock.js';

describe('the record of a pause', () => {
  let directory: AttemptDirectory;
  beforeEach(() => {
    directory = new AttemptDirectory(mkdtempSync(join(tmpdir(), 'muster-pause-')));
  });
  afterEach(() => rmSync(directory.path, { recursive: true, force: true }));

  /** Nothing new can be written, whoever asks; what is there can be removed. */
  const fillDisk = (): void => mkdirSync(`${directory.file('pause')}.new`);
  const makeRoom = (): void => rmdirSync(`${directory.file('pause')}.new`);
  const successor = (): PauseClock => {
    const clock = new PauseClock(directory);
    clock.load();
    return clock;
  };

  it('counts the time that it stood still, also for a successor, and goes on counting there', async () => {
    const clock = new PauseClock(directory);
    await clock.freeze(10);
    expect([clock.isFrozen, clock.frozenMs(12)]).toEqual([true, 2_000]);
    expect([successor().isFrozen, successor().frozenMs(13)]).toEqual([true, 3_000]);
    await clock.thaw(14);
    expect([clock.isFrozen, clock.frozenMs(99)]).toEqual([false, 4_000]);
    expect([successor().isFrozen, successor().frozenMs(99)]).toEqual([false, 4_000]);
  });

  it('lets the time run while the disk does not take it, and refuses again each time', async () => {
    const clock = new PauseClock(directory);
    fillDisk();
    for (const nowSeconds of [10, 11]) {
      await expect(clock.freeze(nowSeconds)).rejects.toThrow();
      expect([clock.isFrozen, clock.frozenMs(20)]).toEqual([false, 0]);
    }
    makeRoom();
    await clock.freeze(12);
    expect([clock.frozenMs(13), successor().isFrozen]).toEqual([1_000, true]);
  });

  it('of a job that goes on holds nobody on a full disk: a successor finds it running', async () => {
    const clock = new PauseClock(directory);
    await clock.freeze(10);
    fillDisk();
    await clock.thaw(14);
    expect([clock.isFrozen, clock.frozenMs(99), successor().isFrozen]).toEqual([false, 4_000, false]);
    makeRoom();
    await clock.freeze(20);
    await clock.thaw(21);
    expect(successor().frozenMs(99)).toBe(5_000);
  });

  it('is not written for a job that nobody ever froze', async () => {
    await new PauseClock(directory).thaw(10);
    expect(existsSync(directory.file('pause'))).toBe(false);
  });

  it('that could not be taken back is taken back the next time', async () => {
    const clock = new PauseClock(directory);
    await clock.freeze(10);
    // As a disk that neither takes nor gives: a folder is not replaced by a file, nor removed as one.
    rmSync(directory.file('pause'));
    mkdirSync(directory.file('pause'));
    await expect(clock.thaw(14)).rejects.toThrow();
    expect(clock.isFrozen).toBe(false);
    rmdirSync(directory.file('pause'));
    await clock.thaw(15);
    expect([successor().isFrozen, successor().frozenMs(99)]).toEqual([false, 4_000]);
  });
});
