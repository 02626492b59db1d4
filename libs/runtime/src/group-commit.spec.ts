import { createSystemClock } from './clock.js';
import { GroupCommitLane, LaneClosed, LaneFull, type GroupCommitOptions } from './group-commit.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));

function setup(overrides: Partial<GroupCommitOptions<string, string>> = {}) {
  const batches: string[][] = [];
  const gates: (() => void)[] = [];
  const lane = new GroupCommitLane<string, string>({
    name: 'test',
    maxBatch: 3,
    run: async (items) => {
      batches.push([...items]);
      await new Promise<void>((resolve) => gates.push(resolve));
      return items.map((item) => `stored ${item}`);
    },
    ...overrides,
  });
  const commit = async () => {
    gates.shift()?.();
    await settle();
  };
  return { lane, batches, commit };
}

/** A lane that refuses batches holding an item that begins with `bad`. */
function pickyRun(batches: string[][]) {
  return (items: readonly string[]) => {
    batches.push([...items]);
    const bad = items.find((item) => item.startsWith('bad'));
    return bad
      ? Promise.reject(new Error(`cannot store ${bad}`))
      : Promise.resolve(items.map((item) => `stored ${item}`));
  };
}

describe('a group commit lane', () => {
  it('commits an item alone at once', async () => {
    const { lane, batches, commit } = setup();
    const answer = lane.submit('a');
    await settle();
    expect(batches).toEqual([['a']]);
    await commit();
    await expect(answer).resolves.toBe('stored a');
  });

  it('shares one commit among what arrives while the last one runs, up to its largest batch', async () => {
    const { lane, batches, commit } = setup();
    const first = lane.submit('a');
    await settle();
    const others = ['b', 'c', 'd', 'e'].map((item) => lane.submit(item));
    expect(lane.queued).toBe(4);
    await commit();
    await commit();
    await commit();
    expect(batches).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
    expect(await Promise.all([first, ...others])).toEqual(['a', 'b', 'c', 'd', 'e'].map((item) => `stored ${item}`));
  });

  it('collects once more before a batch that follows another, and never holds back what finds it idle or fills a batch', async () => {
    const slept: number[] = [];
    const sleeping: (() => void)[] = [];
    const sleep = (ms: number): Promise<void> => {
      slept.push(ms);
      return new Promise((resolve) => sleeping.push(resolve));
    };
    const clock = { ...createSystemClock(), sleep };
    const { lane, batches, commit } = setup({ gatherMs: 2, clock });
    void lane.submit('a');
    await settle();
    expect([batches, slept]).toEqual([[['a']], []]);
    void lane.submit('b');
    await commit();
    expect([batches, slept]).toEqual([[['a']], [2]]);
    void lane.submit('c');
    sleeping.shift()?.();
    await settle();
    expect(batches).toEqual([['a'], ['b', 'c']]);
    for (const item of ['d', 'e', 'f']) void lane.submit(item);
    await commit();
    expect([batches, slept]).toEqual([[['a'], ['b', 'c'], ['d', 'e', 'f']], [2]]);
    await commit();
    void lane.submit('g');
    await settle();
    expect([batches.at(-1), slept]).toEqual([['g'], [2]]);
  });

  it('begins batches no oftener than told, and never holds back what comes after a pause or is a whole batch', async () => {
    let atMs = 1_000;
    const slept: number[] = [];
    const sleep = (ms: number): Promise<void> => {
      slept.push(ms);
      atMs += ms;
      return Promise.resolve();
    };
    const clock = { ...createSystemClock(), monotonicMs: () => atMs, sleep };
    const { lane, batches, commit } = setup({ everyMs: 50, clock });
    void lane.submit('a');
    await settle();
    expect([batches, slept]).toEqual([[['a']], []]);
    await commit();
    atMs += 10;
    for (const item of ['b', 'c']) void lane.submit(item);
    await settle();
    expect([batches, slept]).toEqual([[['a'], ['b', 'c']], [40]]);
    for (const item of ['d', 'e', 'f']) void lane.submit(item);
    await commit();
    expect([batches.at(-1), slept]).toEqual([['d', 'e', 'f'], [40]]);
    await commit();
    atMs += 50;
    void lane.submit('g');
    await settle();
    expect([batches.at(-1), slept]).toEqual([['g'], [40]]);
  });

  it('puts items submitted in the same breath into one batch', async () => {
    const { lane, batches } = setup();
    void lane.submit('a');
    void lane.submit('b');
    await settle();
    expect(batches).toEqual([['a', 'b']]);
  });

  it('never lets a bad item refuse its neighbours', async () => {
    const batches: string[][] = [];
    const { lane } = setup({ run: pickyRun(batches) });
    const answers = await Promise.allSettled(['a', 'bad', 'c'].map((item) => lane.submit(item)));
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : String(answer.reason)))).toEqual([
      'stored a',
      'Error: cannot store bad',
      'stored c',
    ]);
    expect(batches).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']]);
  });

  it('goes on after a batch that failed', async () => {
    const { lane } = setup({ run: pickyRun([]) });
    await expect(lane.submit('bad')).rejects.toThrow('cannot store bad');
    await expect(lane.submit('good')).resolves.toBe('stored good');
  });

  it('refuses a whole batch at once for an error that is no item’s fault', async () => {
    const batches: string[][] = [];
    const { lane } = setup({ run: pickyRun(batches), isItemFault: () => false });
    const answers = await Promise.allSettled(['a', 'bad'].map((item) => lane.submit(item)));
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);
    expect(batches).toHaveLength(1);
  });

  it('tries no further item of a bad batch once one fails by no fault of its own', async () => {
    const batches: string[][] = [];
    const run = (items: readonly string[]): Promise<string[]> => {
      batches.push([...items]);
      return Promise.reject(new Error(items.length > 1 ? 'one of them is bad' : 'connection lost'));
    };
    const { lane } = setup({ run, isItemFault: (error) => error instanceof Error && error.message.endsWith('bad') });
    const answers = await Promise.allSettled(['a', 'b', 'c'].map((item) => lane.submit(item)));
    expect(answers.map((answer) => answer.status === 'rejected' && String(answer.reason))).toEqual(Array(3).fill('Error: connection lost'));
    expect(batches).toEqual([['a', 'b', 'c'], ['a']]);
  });

  it('survives a runner that throws before it returns a promise', async () => {
    const run = () => {
      throw new Error('no connection');
    };
    const { lane } = setup({ run });
    await expect(lane.submit('a')).rejects.toThrow('no connection');
    await expect(lane.submit('b')).rejects.toThrow('no connection');
  });

  it('does not commit a batch twice whose runner answered too few results', async () => {
    let runs = 0;
    const run = () => {
      runs += 1;
      return Promise.resolve(['only one']);
    };
    const { lane } = setup({ run });
    const answers = await Promise.allSettled([lane.submit('a'), lane.submit('b')]);
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);
    expect(runs).toBe(1);
  });

  it('commits in the order its owner chooses, and loses nobody', async () => {
    const longestFirst = (waiting: readonly string[]) => {
      const order = waiting.map((item, index) => ({ item, index })).sort((a, b) => b.item.length - a.item.length);
      return order.slice(0, 2).map(({ index }) => index);
    };
    const { lane, commit, batches } = setup({ choose: longestFirst });
    const answers = ['a', 'bb', 'ccc', 'dddd', 'e'].map((item) => lane.submit(item));
    for (let batch = 0; batch < 3; batch++) {
      await settle();
      await commit();
    }
    await expect(Promise.all(answers)).resolves.toEqual(['a', 'bb', 'ccc', 'dddd', 'e'].map((item) => `stored ${item}`));
    expect(batches).toEqual([['dddd', 'ccc'], ['bb', 'a'], ['e']]);
  });

  it('goes on by itself when its owner chooses nobody', async () => {
    const { lane, commit } = setup({ choose: () => [] });
    const answer = lane.submit('a');
    await settle();
    await commit();
    await expect(answer).resolves.toBe('stored a');
  });

  it('refuses an item above its limit and keeps those it has', async () => {
    const { lane, commit } = setup({ maxQueued: 2 });
    const kept = [lane.submit('a'), lane.submit('b')];
    await expect(lane.submit('c')).rejects.toBeInstanceOf(LaneFull);
    await settle();
    await commit();
    await expect(Promise.all(kept)).resolves.toEqual(['stored a', 'stored b']);
  });

  it('answers everything submitted before it closes, and refuses what comes later', async () => {
    const { lane, commit } = setup();
    const answer = lane.submit('a');
    const closing = lane.close();
    await expect(lane.submit('b')).rejects.toBeInstanceOf(LaneClosed);
    await settle();
    await commit();
    await closing;
    await expect(answer).resolves.toBe('stored a');
  });
});
