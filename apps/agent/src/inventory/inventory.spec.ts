import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GpuInfo, WorkerFaultCode } from '@muster/protocol';
import { createSystemClock } from '@muster/runtime';
import { eventually } from '@muster/testing';
import { isBelowFloor } from './disk-floor.js';
import { faultsOf, type FaultFacts } from './faults.js';
import { InventoryReader } from './inventory-reader.js';
import { countDrivenGpus } from './pci-gpus.js';

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
  const readerOf = (gpus: readonly GpuInfo[] = [], given = {}) =>
    new InventoryReader({
      stateDir,
      labels: { zone: 'lab' },
      capability: undefined,
      contentTypes: undefined,
      capabilities,
      clock: createSystemClock(),
      gpus: { inventory: () => Promise.resolve(gpus), latest: () => null, state: { kind: 'working' }, gpus },
      processes: { running: () => [], slotsQuarantined: () => 0, runtimeProblem: () => null },
      countDrivenGpus: () => Promise.resolve(0),
      ...given,
    });

  it('says what the machine is', async () => {
    const inventory = await readerOf().read();
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
    const gpu = [{ index: 0, uuid: 'GPU-8a1f', model: 'NVIDIA H200', memoryMb: 143771, driver: null }];
    expect(await readerOf(gpu).read()).toMatchObject({
      capability: 'hybrid',
      gpus: [{ index: 0, uuid: 'GPU-8a1f', model: 'NVIDIA H200', memoryMb: 143771 }],
    });
    expect(await readerOf(gpu, { capability: 'gpu' }).read()).toMatchObject({
      capability: 'gpu',
      contentTypes: ['audio', 'video', 'image'],
    });
  }, 30_000);

  it('has a sample a moment after it was asked for one, and never looks twice at one moment', async () => {
    const clock = { ...createSystemClock(), monotonicMs: () => atMs };
    let atMs = 1_000_000;
    const reader = readerOf([], { clock });
    expect(reader.sample()).toBeNull();
    const first = await eventually('a sample', () => reader.sample());
    expect(first.memoryUsedMb).toBeGreaterThan(0);
    expect(first.diskFreeMb).toBeGreaterThan(0);
    expect(first).toMatchObject({ gpus: [], attempts: [], faults: [], networkSentBytesPerSecond: null });
    atMs += 2_000;
    const second = await eventually('the next sample', () => reader.sample() !== first && reader.sample());
    if (process.platform === 'linux') expect(Object.keys(second)).toContain('diskWrittenBytesPerSecond');
  }, 40_000);

  it('says with every sample what is wrong, and no more once it is mended', async () => {
    const clock = { ...createSystemClock(), monotonicMs: () => atMs };
    let atMs = 1_000_000;
    const wrong: { quarantined: number; problem: string | null } = { quarantined: 1, problem: 'No fork.' };
    const processes = {
      running: () => [],
      slotsQuarantined: () => wrong.quarantined,
      runtimeProblem: () => wrong.problem,
    };
    const reader = readerOf([], { clock, processes });
    const codes = (): WorkerFaultCode[] => {
      atMs += 2_000;
      return (reader.sample()?.faults ?? []).map(({ code }) => code);
    };
    await eventually('both faults', () => codes().join() === 'runtime,slotsQuarantined');
    expect(await reader.objection()).toBe('noSlot');
    Object.assign(wrong, { quarantined: 0, problem: null });
    await eventually('no fault', () => codes().length === 0);
    expect(await reader.objection()).toBeNull();
    expect(reader.seen.faults).toEqual([]);
  }, 40_000);
});

describe('a fault', () => {
  const well: FaultFacts = {
    disk: { totalBytes: 100 * GIB, freeBytes: 50 * GIB },
    isBelowFloor: false,
    stateDirectoryProblem: null,
    runtimeProblem: null,
    slotsQuarantined: 0,
    gpuTool: { kind: 'absent' },
    gpusExpected: 0,
  };
  const failing = { kind: 'failing', detail: 'nvidia-smi ended with code 9.' } as const;

  it.each<[string, Partial<FaultFacts>, readonly WorkerFaultCode[]]>([
    ['none on a machine that is well', {}, []],
    ['a disk below its floor', { isBelowFloor: true }, ['diskFloor']],
    ['a state directory that cannot be written', { stateDirectoryProblem: 'EROFS' }, ['stateDirectory']],
    ['a runtime that starts nothing', { runtimeProblem: 'EAGAIN' }, ['runtime']],
    ['slots in quarantine', { slotsQuarantined: 2 }, ['slotsQuarantined']],
    ['a GPU tool that fails where GPUs are', { gpuTool: failing, gpusExpected: 1 }, ['gpuTool']],
    ['nothing where a GPU tool fails without a GPU', { gpuTool: failing }, []],
  ])('is %s', (_, facts, codes) => {
    expect(faultsOf({ ...well, ...facts }).map(({ code }) => code)).toEqual(codes);
  });

  it('says what was found', () => {
    const [fault] = faultsOf({ ...well, isBelowFloor: true, disk: { totalBytes: GIB, freeBytes: GIB / 1024 } });
    expect(fault?.detail).toBe('Only 1 MiB of 1024 MiB are free where the agent keeps its state.');
  });
});

describe('a GPU on the bus', () => {
  it('counts where NVIDIA made it and its driver holds it', async () => {
    const bus = mkdtempSync(join(tmpdir(), 'muster-bus-'));
    const device = (name: string, vendor: string, kind: string, driver: string | null): void => {
      mkdirSync(join(bus, name));
      writeFileSync(join(bus, name, 'vendor'), `${vendor}\n`);
      writeFileSync(join(bus, name, 'class'), `${kind}\n`);
      if (driver !== null) symlinkSync(`/sys/bus/pci/drivers/${driver}`, join(bus, name, 'driver'));
    };
    try {
      device('a', '0x10de', '0x030200', 'nvidia');
      device('given-to-a-virtual-machine', '0x10de', '0x030000', 'vfio-pci');
      device('its-audio', '0x10de', '0x040300', 'snd_hda_intel');
      device('undriven', '0x10de', '0x030000', null);
      device('of-another-maker', '0x1002', '0x030000', 'amdgpu');
      expect(await countDrivenGpus(bus)).toBe(1);
      expect(await countDrivenGpus(join(bus, 'nowhere'))).toBe(0);
    } finally {
      rmSync(bus, { recursive: true, force: true });
    }
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
