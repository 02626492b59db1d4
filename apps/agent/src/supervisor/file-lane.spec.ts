import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { doHere, FileLane } from './file-lane.js';
import type { FileOperation, FolderStock } from './file-thread.js';

const STOCK: FolderStock = {
  mode: 0o700,
  reserved: [{ name: 'status', content: '-----' }],
  rewritten: ['intent', 'run'],
};

describe('the thread for files', () => {
  let folder: string;
  let lane: FileLane;
  let posted: jest.SpyInstance;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-lane-'));
    lane = new FileLane();
    posted = jest.spyOn(Worker.prototype, 'postMessage');
  });
  afterEach(async () => {
    posted.mockRestore();
    await lane.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const path = (name: string): string => join(folder, name);
  const create = (name: string): FileOperation => ({ kind: 'create', path: path(name), content: name });
  const keep = (from: string, to: string): FileOperation => ({
    kind: 'keep',
    path: path(from),
    firstFile: 'intent',
    to: path(to),
    stock: STOCK,
  });
  const take = (from: string | null, to: string): FileOperation => ({
    kind: 'takeKept',
    from: from === null ? null : path(from),
    path: path(to),
    stock: STOCK,
  });

  it('is sent one message for all that is asked for in one turn', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => lane.run([create(name)])));
    expect([readdirSync(folder), posted.mock.calls.length]).toEqual([['a', 'b', 'c'], 1]);
  });

  it('is not sent a message for what nobody waits for while somebody else is about to ask', async () => {
    const later = ['a', 'b'].map((name) => lane.runLater([create(name)]));
    await lane.run([create('c')]);
    await Promise.all(later);
    expect([readdirSync(folder), posted.mock.calls.length]).toEqual([['a', 'b', 'c'], 1]);
  });

  it('ends when it had nothing to do for a while, and another does what is asked for then', async () => {
    const ended = jest.spyOn(Worker.prototype, 'terminate');
    const resting = new FileLane(5);
    try {
      for (const name of ['a', 'b']) {
        await resting.run([create(name)]);
        const endsBefore = ended.mock.calls.length;
        const giveUpAt = performance.now() + 30_000;
        while (ended.mock.calls.length === endsBefore && performance.now() < giveUpAt) await new Promise(setImmediate);
        expect(ended.mock.calls.length).toBe(endsBefore + 1);
      }
      expect(new Set(ended.mock.contexts).size).toBe(2);
      // It looks for rest in the middle of all this.
      for (let round = 0; round < 200; round++) await resting.run([create(`c${round}`)]);
      expect(readdirSync(folder)).toHaveLength(202);
    } finally {
      await resting.close();
      ended.mockRestore();
    }
  });

  it('is not needed by whoever may wait, who is told what was refused', () => {
    doHere([create('a'), { kind: 'move', path: path('a'), to: path('b') }]);
    expect(readdirSync(folder)).toEqual(['b']);
    expect(() => doHere([create('b'), create('c')])).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error);
    expect([readdirSync(folder), posted.mock.calls.length]).toEqual([['b'], 0]);
  });

  it('does in the end what nobody waits for, in order, and before it closes', async () => {
    await lane.runLater([create('a')]);
    const rest = [lane.runLater([create('b')]), lane.runLater([{ kind: 'move', path: path('b'), to: path('c') }])];
    await lane.close();
    await Promise.all(rest);
    expect(readdirSync(folder)).toEqual(['a', 'c']);
  });

  it('does first what somebody waits for', async () => {
    const order: string[] = [];
    const later = lane.runLater([{ kind: 'remove', path: path('a') }]).then(() => order.push('later'));
    await lane.run([create('a')]).then(() => order.push('urgent'));
    await later;
    expect([order, existsSync(path('a'))]).toEqual([['urgent', 'later'], false]);
  });

  it.each([
    ['a shorter text', 'x'.repeat(500), 'new\n'],
    ['a longer text', 'old\n', 'x'.repeat(500)],
    ['a text that is much shorter', 'x'.repeat(100_000), 'new\n'],
    ['nothing', 'old', ''],
  ])('writes %s into a file that is there, and leaves no word of the old', async (_what, old, text) => {
    writeFileSync(path('a'), old);
    const before = statSync(path('a')).ino;
    await lane.run([{ kind: 'write', path: path('a'), content: text }]);
    expect(readFileSync(path('a'), 'utf8').trimEnd()).toBe(text.trimEnd());
    expect(statSync(path('a')).ino).toBe(before);
    expect(statSync(path('a')).size).toBeLessThanOrEqual(Math.max(text.length, 16_384 + text.length));
  });

  it('tells each of its own refusals only', async () => {
    await lane.run([create('a')]);
    const [refused, done] = await Promise.allSettled([lane.run([create('a'), create('b')]), lane.run([create('c')])]);
    expect([refused?.status, done?.status]).toEqual(['rejected', 'fulfilled']);
    expect(refused).toMatchObject({ reason: { code: 'EEXIST' } });
    expect(readdirSync(folder)).toEqual(['a', 'c']);
  });

  it('is lost with what it was asked, and costs the one that comes after it nothing', async () => {
    await lane.run([create('a')]);
    const first: Worker = posted.mock.contexts[0];
    const ended = new Promise((resolve) => first.once('exit', resolve));
    const again = new Promise((resolve, reject) => {
      // Between the error of the first thread and its exit, when another is opened.
      first.once('error', () => void lane.run([create('c')]).then(resolve, reject));
    });
    // No list of requests: the thread ends by it.
    first.postMessage({});
    await expect(lane.run([create('b')])).rejects.toThrow();
    await Promise.all([ended, again]);
    expect([existsSync(path('c')), posted.mock.contexts.at(-1) === first]).toEqual([true, false]);
  });

  it('that is lost while somebody with patience waits leaves nobody waiting who has patience after that', async () => {
    await lane.run([create('a')]);
    const first: Worker = posted.mock.contexts[0];
    // Whoever writes to it waits until somebody reads.
    execFileSync('mkfifo', [path('fifo')]);
    const asked = [lane.run([{ kind: 'write', path: path('fifo'), content: 'x' }])];
    await new Promise(setImmediate);
    asked.push(lane.runLater([create('b')]));
    // Longer than patience lasts.
    await new Promise((resolve) => setTimeout(resolve, 150));
    first.emit('error', new Error('lost'));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await lane.runLater([create('c')]);
    expect(existsSync(path('c'))).toBe(true);
    await readFile(path('fifo'));
  });

  describe('given a folder to use again', () => {
    const inodesOf = (name: string): number[] =>
      [path(name), join(path(name), 'status'), join(path(name), 'intent')].map((one) => statSync(one).ino);
    beforeEach(async () => {
      await lane.run([take(null, 'one')]);
      for (const name of ['intent', 'run', 'out.log', 'go']) writeFileSync(join(path('one'), name), 'of the first job');
      writeFileSync(join(path('one'), 'status'), 'x 0 1.00 .\n');
      mkdirSync(join(path('one'), 'work', 'deep'), { recursive: true });
    });

    it('makes no new file of it, and leaves nothing of its first use', async () => {
      const before = inodesOf('one');
      await lane.run([keep('one', 'kept'), take('kept', 'two')]);
      expect(inodesOf('two')).toEqual(before);
      expect(readdirSync(folder)).toEqual(['two']);
      expect(readdirSync(path('two')).sort()).toEqual(['intent', 'run', 'status']);
      expect(readFileSync(join(path('two'), 'status'), 'utf8')).toMatch(/^-----/);
    });

    it('makes a new one when what was kept has gone', async () => {
      await lane.run([keep('one', 'kept')]);
      rmSync(path('kept'), { recursive: true });
      await lane.run([take('kept', 'two')]);
      expect([readdirSync(path('two')), statSync(path('two')).mode & 0o777]).toEqual([['status'], 0o700]);
    });

    it('removes one whose reserved file is not what it was', async () => {
      writeFileSync(path('of-somebody'), 'else');
      rmSync(join(path('one'), 'status'));
      symlinkSync(path('of-somebody'), join(path('one'), 'status'));
      await lane.run([keep('one', 'kept')]);
      expect([readdirSync(folder), readFileSync(path('of-somebody'), 'utf8')]).toEqual([['of-somebody'], 'else']);
    });

    it('removes one that cannot be moved', async () => {
      await lane.run([keep('one', 'no-such-folder/kept')]);
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});
