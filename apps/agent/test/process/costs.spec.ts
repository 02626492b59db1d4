/** What one short job costs, as counts: a figure that no other work on the machine can blur. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { eventually, ManagerHarness } from './manager-harness.js';

jest.setTimeout(120_000);

const JOBS = 20;

describe('what a short job costs', () => {
  let harness: ManagerHarness;
  beforeEach(async () => {
    harness = await ManagerHarness.open({ slots: 1 });
    for (let warmUp = 0; warmUp < 3; warmUp++) await one();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await harness.destroy();
  });

  /** Resolves to what the directory was when the job had ended; the next one finds its start prepared. */
  async function one(): Promise<{ readonly inode: number; readonly statusInode: number; readonly names: string[] }> {
    await eventually('the next start is prepared', () => readdirSync(join(harness.stateDir, 'ready'))[0] ?? null);
    const { executionId } = await harness.run({ run: { command: ['/bin/true'] } });
    const { directory } = harness.manager.paths(executionId);
    const left = {
      inode: statSync(directory).ino,
      statusInode: statSync(join(directory, 'status')).ino,
      names: readdirSync(directory).filter((name) => name !== 'work').sort(),
    };
    await harness.manager.discard(executionId);
    return left;
  }

  it('is at most three messages to the threads for files', async () => {
    const posted = jest.spyOn(Worker.prototype, 'postMessage');
    for (let job = 0; job < JOBS; job++) await one();
    expect(posted.mock.calls.length).toBeLessThanOrEqual(3 * JOBS);
    expect(posted.mock.calls.length).toBeGreaterThan(JOBS);
  });

  it('is two new files and its workspace, in a directory that others used before', async () => {
    const jobs = [];
    for (let job = 0; job < JOBS; job++) jobs.push(await one());
    expect(jobs.map(({ names }) => names)).toEqual(jobs.map(() => ['ident', 'intent.json', 'out.log', 'run', 'status']));
    // One at work, one prepared for the next, and two that lie ready for those after.
    expect(new Set(jobs.map(({ inode }) => inode)).size).toBeLessThanOrEqual(4);
    expect(new Set(jobs.map(({ statusInode }) => statusInode)).size).toBeLessThanOrEqual(4);
  });

  it('leaves nothing of itself to the next', async () => {
    const shell = 'echo secret >"$MUSTER_WORKSPACE/a"; echo 7 >"$MUSTER_RESULT"; echo out; mkdir ../mine; exit 3';
    const first = await harness.run({ run: { shell }, env: { TOKEN: 'of the first' } });
    expect(first.end).toMatchObject({ exit: { code: 3 }, result: 7 });
    await harness.manager.discard(first.executionId);
    for (let job = 0; job < 4; job++) {
      const run = { shell: 'ls -A .. && ls -A . && cat ../run ../intent.json | grep -c "o[f] the first"; exit 0' };
      const { executionId, end, log } = await harness.run({ run });
      expect([end.exit?.code, end.result, log.split('\n')]).toEqual([
        0,
        undefined,
        ['ident', 'intent.json', 'out.log', 'run', 'status', 'work', '0', ''],
      ]);
      await harness.manager.discard(executionId);
    }
  });
});
