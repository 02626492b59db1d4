/** Tables as NVIDIA documents them (`--query-gpu`, `--query-compute-apps`, `--format=csv,nounits`); all values are synthetic. */
import { parseGpuProcesses, parseGpus } from './gpu-csv.js';

const HEADER =
  'index, uuid, driver_version, memory.total [MiB], memory.used [MiB], utilization.gpu [%], temperature.gpu, power.draw [W], name';
const table = (...lines: string[]): string => `${[HEADER, ...lines].join('\n')}\n`;
const NOTHING = {
  utilisationPercent: null,
  memoryUsedMb: null,
  memoryTotalMb: null,
  temperatureCelsius: null,
  powerWatts: null,
};

describe('the table of GPUs', () => {
  it('says what each GPU is and how it is', () => {
    const [reading] =
      parseGpus(table('0, GPU-8a1f, 550.54.15, 81559, 1024, 37, 41, 118.32, NVIDIA H100 80GB HBM3')) ?? [];
    expect(reading).toEqual({
      info: { index: 0, uuid: 'GPU-8a1f', model: 'NVIDIA H100 80GB HBM3', memoryMb: 81559, driver: '550.54.15' },
      sample: {
        index: 0,
        utilisationPercent: 37,
        memoryUsedMb: 1024,
        memoryTotalMb: 81559,
        temperatureCelsius: 41,
        powerWatts: 118.32,
      },
    });
  });

  it.each([
    '[N/A]',
    '[Not Supported]',
    'N/A',
    'ERR!',
    '[Unknown Error]',
    '[GPU requires reset]',
    '[Insufficient Permissions]',
    '',
  ])('takes %j for unknown, never for 0', (word) => {
    const [reading] =
      parseGpus(table(`0, ${word}, ${word}, ${word}, ${word}, ${word}, ${word}, ${word}, Tesla K20`)) ?? [];
    expect(reading?.info).toEqual({ index: 0, uuid: null, model: 'Tesla K20', memoryMb: null, driver: null });
    expect(reading?.sample).toEqual({ index: 0, ...NOTHING });
  });

  it.each([
    ['a share above 100', '0, GPU-1, 1, 10, 10, 101, 40, 1, X', 'utilisationPercent'],
    ['a negative power', '0, GPU-1, 1, 10, 10, 1, 40, -3.1, X', 'powerWatts'],
    ['an absurd temperature', '0, GPU-1, 1, 10, 10, 1, 65535, 1, X', 'temperatureCelsius'],
    ['a size that is no number', '0, GPU-1, 1, 10, NaN, 1, 40, 1, X', 'memoryUsedMb'],
    ['a size beyond all memory', '0, GPU-1, 1, 10, 18446744073709551615, 1, 40, 1, X', 'memoryUsedMb'],
  ] as const)('takes %s for unknown', (_, line, field) => {
    expect(parseGpus(table(line))?.[0]?.sample[field]).toBeNull();
  });

  it('leaves unknown what a driver has no column for, in whatever order it prints them', () => {
    const [reading] = parseGpus('uuid, index, name\nGPU-1, 3, NVIDIA T4\n') ?? [];
    expect(reading).toEqual({
      info: { index: 3, uuid: 'GPU-1', model: 'NVIDIA T4', memoryMb: null, driver: null },
      sample: { index: 3, ...NOTHING },
    });
  });

  it('keeps a comma in the name of a model, and takes values with their units', () => {
    const [reading] = parseGpus(table('0, GPU-1, 1, 81559 MiB, 1 MiB, 5 %, 40, 80.5 W, Card, Rev. B')) ?? [];
    expect(reading?.info).toMatchObject({ model: 'Card, Rev. B', memoryMb: 81559 });
    expect(reading?.sample).toMatchObject({ utilisationPercent: 5, powerWatts: 80.5 });
  });

  it('passes over warnings, broken lines and second lines of one index, as slices of a GPU have them', () => {
    const output = `WARNING: infoROM is corrupted at gpu 0000:00:1E.0\r\n${table(
      '1, GPU-b, 1, 10, 1, 1, 40, 1, B',
      '0, GPU-a, 1, 10, 1, [N/A], 40, 1, A',
      '0, MIG-a-1, 1, 5, 1, [N/A], 40, 1, A MIG 1g.5gb',
      '[N/A], MIG-a-2, 1, 5, 1, [N/A], 40, 1, A MIG 1g.5gb',
      '2, GPU-c',
      'x, GPU-d, 1, 10, 1, 1, 40, 1, D',
    )}`;
    expect(parseGpus(output)?.map(({ info }) => [info.index, info.uuid, info.model])).toEqual([
      [0, 'GPU-a', 'A'],
      [1, 'GPU-b', 'B'],
      [2, 'GPU-c', 'unknown'],
    ]);
  });

  it('takes no more GPUs than a worker may have, and no longer words', () => {
    const lines = Array.from(
      { length: 100 },
      (_, index) => `${index}, GPU-${index}, 1, 10, 1, 1, 40, 1, \u0007${'😀'.repeat(500)}`,
    );
    const found = parseGpus(table(...lines)) ?? [];
    expect(found).toHaveLength(64);
    expect(found[63]?.info.model).toBe('😀'.repeat(100));
  });

  it('is empty where the driver finds no device, and none where it prints something else', () => {
    expect(parseGpus('No devices were found\n')).toEqual([]);
    expect(parseGpus(table())).toEqual([]);
    for (const nonsense of ['', 'Segmentation fault', '<html>', '\u0000\u0001', '0, GPU-1, NVIDIA T4'])
      expect(parseGpus(nonsense)).toBeNull();
  });
});

describe('the table of processes on GPUs', () => {
  const processes = (...lines: string[]): string =>
    `${['gpu_uuid, pid, used_gpu_memory [MiB]', ...lines].join('\n')}\n`;

  it('says who holds how much, unknown where the driver does not tell', () => {
    expect(
      parseGpuProcesses(processes('GPU-a, 4711, 512', 'GPU-b, 4711, 256', 'GPU-a, 4712, [N/A]', 'MIG-a-1, 4713, 64')),
    ).toEqual([
      { pid: 4711, memoryMb: 512 },
      { pid: 4711, memoryMb: 256 },
      { pid: 4712, memoryMb: null },
      { pid: 4713, memoryMb: 64 },
    ]);
  });

  it('leaves out what is no process', () => {
    expect(
      parseGpuProcesses(processes('GPU-a, [N/A], 512', 'GPU-a, 0, 1', 'GPU-a, -1, 1', 'No running processes found')),
    ).toEqual([]);
    expect(parseGpuProcesses('garbage')).toBeNull();
  });
});
