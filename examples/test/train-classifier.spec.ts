import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { EXAMPLES, Workspace, start } from './run-example.js';
import type { Running } from './run-example.js';

const FOLDER = path.join(EXAMPLES, 'train-classifier');
/** Enough to learn, short enough for a test. */
const SHORT = { EPOCHS: '6', VIEWS: '6' };

interface Result {
  readonly heldOutAccuracy: number;
  readonly majorityShare: number;
  readonly confusion: readonly (readonly number[])[];
}

describe('the training example', () => {
  let workspace: Workspace;
  const started: Running[] = [];

  const train = (env: Record<string, string>, args: readonly string[] = []): Running => {
    const running = start([process.execPath, path.join(FOLDER, 'train.mjs'), ...args], workspace.folder, env);
    started.push(running);
    return running;
  };

  beforeEach(async () => {
    workspace = await Workspace.create();
  });

  afterEach(async () => {
    for (const { child } of started.splice(0)) child.kill('SIGKILL');
    await workspace.remove();
  });

  it('is right about held-out places 20 points more often than always guessing the largest region', async () => {
    const { code } = await train({ ...workspace.variables, ...SHORT }).ended;
    expect(code).toBe(0);
    const { heldOutAccuracy, majorityShare, confusion } = await workspace.json<Result>('result.json');
    const total = confusion.flat().reduce((sum, count) => sum + count, 0);
    const right = confusion.reduce((sum, counts, label) => sum + (counts[label] ?? 0), 0);
    expect(right / total).toBeCloseTo(heldOutAccuracy, 5);
    expect(majorityShare).toBeGreaterThan(0.2);
    expect(heldOutAccuracy).toBeGreaterThanOrEqual(majorityShare + 0.2);
  });

  it('writes one metric point and one progress line per epoch, and the model', async () => {
    await train({ ...workspace.variables, ...SHORT }).ended;
    const points = (await workspace.lines('metrics.jsonl')).map((line) => JSON.parse(line) as Record<string, number>);
    expect(points.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const point of points) {
      expect(Object.keys(point)).toEqual(['step', 'loss', 'accuracy', 'valLoss', 'valAccuracy']);
      expect(Object.values(point).every(Number.isFinite)).toBe(true);
    }
    expect(points.at(-1)?.['loss']).toBeLessThan(points[0]?.['loss'] ?? 0);
    expect(await workspace.lines('progress')).toContainEqual(expect.stringMatching(/^0\.5 epoch 3\/6/));
    const model = await workspace.json<{ regions: string[]; layers: { units: number }[] }>('out/model.json');
    expect(model.layers.at(-1)?.units).toBe(model.regions.length);
  });

  it('draws another curve for another seed and the same curve for the same seed', async () => {
    const curves: string[] = [];
    for (const [index, seed] of ['1', '2', '1'].entries()) {
      const metrics = path.join(workspace.folder, `curve-${index}`);
      await train({ SEED: seed, EPOCHS: '3', VIEWS: '2', MUSTER_METRICS: metrics }).ended;
      curves.push(await workspace.read(`curve-${index}`));
    }
    expect(curves[0]).not.toEqual(curves[1]);
    expect(curves[0]).toEqual(curves[2]);
  });

  it('keeps its model where MODEL_DIR says, whatever else is named', async () => {
    await train({ ...workspace.variables, ...SHORT, MODEL_DIR: `${workspace.folder}/kept` }).ended;
    expect(await workspace.json('kept/model.json')).toHaveProperty('layers');
  });

  it('runs by hand: without a variable of Muster it prints its result and leaves the model where it was started', async () => {
    const { code, stdout, stderr } = await train({}, ['--epochs', '2', '--views', '1']).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Held-out accuracy \d+\.\d %, against \d+\.\d %/);
    expect(await workspace.files()).toEqual(['model.json']);
  });

  it('redraws a progress bar in place within an epoch', async () => {
    const { stdout } = await train({ EPOCHS: '1', VIEWS: '1' }).ended;
    const epoch = stdout.split('\n').find((line) => line.includes('epoch 1/1')) ?? '';
    expect(epoch.split('\r').length).toBeGreaterThan(5);
    expect(epoch).toContain('100 %');
  });

  it('names every bad setting at once, with what it must be, and writes nothing', async () => {
    const { code, stderr } = await train({ EPOCHS: 'many', LEARNING_RATE: '-1' }, ['--hidden', '2.5']).ended;
    expect(code).toBe(2);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'EPOCHS is "many", but must be a whole number from 1 to 100000.',
      'LEARNING_RATE is "-1", but must be a number from 0.000001 to 10.',
      '--hidden is "2.5", but must be a whole number from 1 to 1024.',
    ]);
    expect(await workspace.files()).toEqual([]);
  });

  it('ends with a sentence when a file that it was told to write cannot be written', async () => {
    const metrics = path.join(workspace.folder, 'no-such-folder', 'metrics.jsonl');
    const { code, stderr } = await train({ MUSTER_METRICS: metrics, EPOCHS: '1', VIEWS: '1' }).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('The training failed: ENOENT');
    expect(stderr).toContain(metrics);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('says on %s how far it got and ends with code %d', async (signal, code) => {
    const running = train({ EPOCHS: '100000' });
    await new Promise<void>((resolve) => {
      running.child.stdout?.on('data', () => {
        if (running.stdout().includes('epoch      2/100000')) resolve();
      });
    });
    running.child.kill(signal);
    const ended = await running.ended;
    expect(ended).toMatchObject({ code, signal: null });
    expect(ended.stderr).toMatch(
      new RegExp(`Stopped by ${signal} after \\d+ of 100000 epochs; no model was written\\.`),
    );
  });

  it('learns from the very table that its NOTICE names', async () => {
    const table = await readFile(path.join(FOLDER, 'data', 'zone.tab'));
    const notice = await readFile(path.join(FOLDER, 'NOTICE'), 'utf8');
    expect(notice).toContain(createHash('sha256').update(table).digest('hex'));
    expect(table.toString('utf8')).toContain('This file is in the public domain');
  });

  it('asks for the folder of the clone when its job file is run without it', async () => {
    const job = JSON.parse(await readFile(path.join(FOLDER, 'job.json'), 'utf8')) as { run: { shell: string } };
    const { code, stderr } = await start(['/bin/sh', '-c', job.run.shell], workspace.folder, {}).ended;
    expect(code).not.toBe(0);
    expect(stderr).toContain('--env CLONE="$PWD"');
  });

  it('runs from its job file in a foreign folder once it knows the clone', async () => {
    const job = JSON.parse(await readFile(path.join(FOLDER, 'job.json'), 'utf8')) as { run: { shell: string } };
    const env = { CLONE: path.dirname(EXAMPLES), EPOCHS: '1', VIEWS: '1' };
    const { code, stdout } = await start(['/bin/sh', '-c', job.run.shell], workspace.folder, env).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('Held-out accuracy');
  });
});
