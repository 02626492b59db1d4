import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '@muster/runtime';
import { isBelowFloor } from './disk-floor.js';
import { parseGpus, readGpus } from './gpus.js';
import { InventoryReader } from './inventory-reader.js';

const GIB = 1024 ** 3;
const capabilities = {
  containment: { default: 'group', available: ['group'], notes: [] },
  limits: { runSeconds: 'hard', silenceSeconds: 'hard', memoryMb: 'sampled', cpus: 'none', logBytes: 'hard' },
  signalKnown: true,
  runKinds: ['command', 'shell'],
} as const;

describe('the inventory', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'muster-inventory-'));
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));
  const readerOf = (gpus: Parameters<typeof parseGpus>[0], given = {}) =>
    new InventoryReader({
      stateDir,
      labels: { zone: 'lab' },
      capability: undefined,
      contentTypes: undefined,
      capabilities,
      clock: createSystemClock(),
      readGpus: () => Promise.resolve(parseGpus(gpus)),
      ...given,
    });

  it('says what the machine is', async () => {
    const inventory = await readerOf('').read();
    expect(inventory.cpuCores).toBeGreaterThanOrEqual(1);
    expect(inventory.memoryMb).toBeGreaterThan(100);
    expect(inventory.diskMb).toBeGreaterThan(100);
    expect(inventory).toMatchObject({
      capability: 'cpu',
      gpus: [],
      labels: { zone: 'lab' },
      runKinds: ['command', 'shell'],
    });
  }, 30_000);

  it('is hybrid where a GPU is found, unless told otherwise', async () => {
    const gpu = '0, GPU-8a1f, NVIDIA H200, 143771, 570.86.15\n';
    expect(await readerOf(gpu).read()).toMatchObject({
      capability: 'hybrid',
      gpus: [{ index: 0, uuid: 'GPU-8a1f', model: 'NVIDIA H200', memoryMb: 143771 }],
    });
    expect(await readerOf(gpu, { capability: 'gpu' }).read()).toMatchObject({
      capability: 'gpu',
      contentTypes: ['audio', 'video', 'image'],
    });
  }, 30_000);

  it('has a sample a moment after it was asked for one', async () => {
    const reader = readerOf('');
    reader.sample();
    for (const endMs = Date.now() + 30_000; reader.sample() === null;) {
      expect(Date.now()).toBeLessThan(endMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(reader.sample()?.memoryUsedMb).toBeGreaterThan(0);
    expect(reader.sample()?.diskFreeMb).toBeGreaterThan(0);
  }, 40_000);
});

describe('GPUs', () => {
  it('are none where there is no driver', async () => {
    expect(await readGpus('/nonexistent/nvidia-smi')).toEqual([]);
  });

  it('are read from what the driver prints, nonsense passed over', () => {
    expect(parseGpus('NVIDIA-SMI has failed because it could not talk to the driver.\n')).toEqual([]);
    expect(parseGpus('1, [N/A], Some Card, [N/A], \n')).toEqual([
      { index: 1, uuid: null, model: 'Some Card', memoryMb: null, driver: null },
    ]);
  });
});

describe('the disk floor', () => {
  it.each([
    ['a large disk with 2 GiB left', { totalBytes: 1_000 * GIB, freeBytes: 2 * GIB }, false],
    ['a large disk with half a GiB left', { totalBytes: 1_000 * GIB, freeBytes: GIB / 2 }, true],
    ['a small disk with a tenth left', { totalBytes: GIB, freeBytes: GIB / 10 }, false],
    ['a small disk with a hundredth left', { totalBytes: GIB, freeBytes: GIB / 100 }, true],
    ['a disk that does not tell', null, false],
  ])('judges %s', (_, disk, isBelow) => {
    expect(isBelowFloor(disk, false)).toBe(isBelow);
  });

  it('lets go only well above itself', () => {
    const disk = { totalBytes: 1_000 * GIB, freeBytes: 1.1 * GIB };
    expect(isBelowFloor(disk, false)).toBe(false);
    expect(isBelowFloor(disk, true)).toBe(true);
  });
});
