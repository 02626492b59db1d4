import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@muster/testing';
import { GpuTool } from '../../src/inventory/gpu-tool.js';
import { GpuWatch } from '../../src/inventory/gpu-watch.js';
import { HEADER, ONE_GPU, PROCESS_HEADER, fakeGpuTool, type FakeGpuTool } from './fake-gpu-tool.js';

const MINUTE_MS = 60_000;

describe('nvidia-smi', () => {
  let fake: FakeGpuTool;
  beforeEach(() => {
    fake = fakeGpuTool();
  });
  afterEach(() => fake.remove());

  /** Time stands still until a test moves it. */
  const watchOf = (timeLimitMs = 30_000) => {
    const clock = { atMs: 1_000_000, monotonicMs: () => clock.atMs };
    const tool = new GpuTool({ environment: fake.environment, timeLimitMs });
    return { clock, tool, watch: new GpuWatch(tool, clock) };
  };

  it('tells which GPUs there are, and how they are when a sample is due', async () => {
    const { clock, watch } = watchOf();
    expect(await watch.inventory()).toEqual([
      {
        index: 0,
        uuid: 'GPU-8a1f0c32-0000-0000-0000-000000000001',
        model: 'NVIDIA H100 80GB HBM3',
        memoryMb: 81559,
        driver: '550.54.15',
      },
    ]);
    fake.prints(ONE_GPU, `${PROCESS_HEADER}\nGPU-8a1f0c32, 4711, 512\n`);
    clock.atMs += MINUTE_MS / 2;
    const look = await eventually('a look with processes', () => {
      const newest = watch.latest(true);
      return newest?.processes && newest;
    });
    expect(look.gpus).toMatchObject([{ index: 0, utilisationPercent: 37, memoryUsedMb: 1024, powerWatts: 118.32 }]);
    expect(look.processes).toEqual([{ pid: 4711, memoryMb: 512 }]);
  }, 60_000);

  it('is asked at its own pace, however often a sample is taken, and about processes only while attempts run', async () => {
    const { clock, watch } = watchOf();
    await watch.inventory();
    for (let beat = 0; beat < 10; beat += 1) {
      clock.atMs += 1_000;
      watch.latest(false);
    }
    expect(fake.calls()).toHaveLength(1);
    clock.atMs += 5_000;
    watch.latest(false);
    await eventually('a second call', () => fake.calls().length === 2);
    expect(fake.calls().join()).not.toContain('compute-apps');
  }, 60_000);

  it('is never started for a sample where there is no GPU', async () => {
    fake.prints(`${HEADER}\n`);
    const { clock, watch } = watchOf();
    expect(await watch.inventory()).toEqual([]);
    clock.atMs += 10 * MINUTE_MS;
    expect(watch.latest(true)).toBeNull();
    expect(await watch.inventory()).toEqual([]);
    expect(fake.calls()).toHaveLength(2);
  }, 60_000);

  it('is none where it is not installed', async () => {
    const watch = new GpuWatch(new GpuTool({ environment: { PATH: '/nonexistent' } }), { monotonicMs: () => 0 });
    expect(await watch.inventory()).toEqual([]);
    expect(watch.state).toEqual({ kind: 'absent' });
  }, 60_000);

  it('that fails takes no GPU away, says so in its own words, and is asked ever more rarely', async () => {
    const { clock, watch } = watchOf();
    await watch.inventory();
    fake.behaves('fails');
    expect(await watch.inventory()).toHaveLength(1);
    expect(watch.state).toEqual({
      kind: 'failing',
      detail: expect.stringContaining("ended with code 9: NVIDIA-SMI has failed because it couldn't communicate"),
    });
    clock.atMs += 20_000;
    watch.latest(false);
    expect(fake.calls()).toHaveLength(2);
    clock.atMs += 2 * MINUTE_MS;
    expect(watch.latest(false)).toBeNull();
    await eventually('a third call', () => fake.calls().length === 3);
    fake.behaves('well');
    await eventually('it works again', async () => {
      await watch.inventory();
      return watch.state.kind === 'working';
    });
  }, 60_000);

  it('that prints garbage is failing and brings nothing down', async () => {
    fake.prints('\u0000\u0001 nothing of a table\n');
    const { watch } = watchOf();
    expect(await watch.inventory()).toEqual([]);
    expect(watch.state).toMatchObject({
      kind: 'failing',
      detail: expect.stringContaining('something else than a table'),
    });
  }, 60_000);

  it('of an old driver is asked again for what every driver knows', async () => {
    fake.behaves('old');
    fake.prints('index, uuid, driver_version, memory.total [MiB], name\n0, GPU-1, 384.81, 11441, Tesla K80\n');
    const { watch } = watchOf();
    expect(await watch.inventory()).toMatchObject([{ model: 'Tesla K80', memoryMb: 11441 }]);
    expect(watch.latest(false)?.gpus).toMatchObject([{ index: 0, utilisationPercent: null, powerWatts: null }]);
    await watch.inventory();
    expect(fake.calls().filter((words) => words.includes('power.draw'))).toHaveLength(1);
  }, 60_000);

  it('that hangs is killed with all it started, and given up in its time', async () => {
    fake.behaves('hangs');
    const { tool } = watchOf(700);
    const answer = await tool.ask(['--query-gpu=index', '--format=csv']);
    expect(answer).toEqual({ kind: 'failed', detail: 'nvidia-smi did not answer within 700 ms and was killed.' });
    const folder = String(fake.environment['PATH']).split(':')[0] ?? '';
    await eventually('nothing of it is left', () => !isAnybodyOf(folder));
    fake.behaves('well');
    await eventually('it is asked again', async () => (await tool.ask(['--query-gpu=index'])).kind === 'answered');
  }, 60_000);

  it('that prints without end is killed before it fills the memory', async () => {
    fake.behaves('endless');
    const answer = await watchOf().tool.ask(['--query-gpu=index']);
    expect(answer).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('printed more than 1048576 bytes'),
    });
  }, 60_000);

  it('that may not be run is a fault, and folders of the PATH that may not be looked into are none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-gpu-tool-'));
    try {
      const tool = new GpuTool({ environment: { PATH: folder } });
      writeFileSync(join(folder, 'nvidia-smi'), '', { mode: 0o644 });
      const denied = expect.stringMatching(/^nvidia-smi cannot be run: .*EACCES/);
      expect(await tool.ask([])).toEqual({ kind: 'failed', detail: denied });
      rmSync(join(folder, 'nvidia-smi'));
      chmodSync(folder, 0o000);
      expect(await tool.ask([])).toEqual({ kind: 'absent' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Whether a process of this program lives: it has the folder in its words, or on the PATH it was given. */
function isAnybodyOf(folder: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .some((pid) => ['cmdline', 'environ'].some((file) => read(`/proc/${pid}/${file}`).includes(folder)));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
