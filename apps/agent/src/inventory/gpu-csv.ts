/**
 * Reads what `nvidia-smi --query-…=… --format=csv,nounits` prints, as NVIDIA documents it (`nvidia-smi --help-query-gpu`,
 * `--help-query-compute-apps`): a line with the names of the columns, then one line per GPU or process. A value the driver
 * does not tell is `[N/A]`, `[Not Supported]`, `ERR!` or another word: unknown, never 0.
 */
import { LIMITS } from '@muster/protocol';
import type { GpuInfo, GpuSample } from '@muster/protocol';

/** The name comes last: it is the only value that may hold a comma, and nothing is quoted. */
const GPU_FIELDS = [
  'index',
  'uuid',
  'driver_version',
  'memory.total',
  'memory.used',
  'utilization.gpu',
  'temperature.gpu',
  'power.draw',
  'name',
];
/** What every driver there has been knows; asked for when it does not know one of the others. */
const BARE_GPU_FIELDS = ['index', 'uuid', 'driver_version', 'memory.total', 'name'];
const PROCESS_FIELDS = ['gpu_uuid', 'pid', 'used_memory'];

const FORMAT = '--format=csv,nounits';
export const GPU_QUERY: readonly string[] = [`--query-gpu=${GPU_FIELDS.join(',')}`, FORMAT];
export const BARE_GPU_QUERY: readonly string[] = [`--query-gpu=${BARE_GPU_FIELDS.join(',')}`, FORMAT];
export const PROCESS_QUERY: readonly string[] = [`--query-compute-apps=${PROCESS_FIELDS.join(',')}`, FORMAT];

/** One GPU: what it is and how it is. */
export interface GpuReading {
  readonly info: GpuInfo;
  readonly sample: GpuSample;
}

/** Memory that one process holds on one GPU. */
export interface GpuProcess {
  readonly pid: number;
  readonly memoryMb: number | null;
}

/**
 * Null when it is no such table at all. Lines that tell of no GPU (warnings, a slice that has no index of its own) are passed
 * over; of two lines with one index the first counts, and at most as many are taken as a worker may have.
 */
export function parseGpus(output: string): readonly GpuReading[] | null {
  const rows = readTable(output, ['index', 'name']);
  if (rows === null) return isNoDevices(output) ? [] : null;
  const found = new Map<number, GpuReading>();
  for (const row of rows) {
    const index = wholeIn(row['index'], LIMITS.gpuIndexMax);
    if (index === null || found.has(index) || found.size >= LIMITS.gpusMax) continue;
    found.set(index, toReading(index, row));
  }
  return [...found.values()].sort((one, other) => one.info.index - other.info.index);
}

/** A process that holds memory on several GPUs has several lines. Null when it is no such table at all. */
export function parseGpuProcesses(output: string): readonly GpuProcess[] | null {
  const rows = readTable(output, ['pid']);
  if (rows === null) return isNoDevices(output) ? [] : null;
  return rows.flatMap((row): GpuProcess[] => {
    const pid = wholeIn(row['pid'], PID_MAX);
    if (pid === null || pid === 0) return [];
    return [{ pid, memoryMb: numberIn(row['used_memory'] ?? row['used_gpu_memory'], MEMORY_MAX_MB) }];
  });
}

const PID_MAX = 2 ** 22;
const MEMORY_MAX_MB = 2 ** 30;
const POWER_MAX_WATTS = 100_000;
const TEMPERATURE_MAX = 250;

function toReading(index: number, row: Row): GpuReading {
  const memoryTotalMb = numberIn(row['memory.total'], MEMORY_MAX_MB);
  return {
    info: {
      index,
      uuid: /^(GPU|MIG)-[\w./-]+$/.test(row['uuid'] ?? '') ? textIn(row['uuid']) : null,
      model: textIn(row['name']) ?? 'unknown',
      memoryMb: memoryTotalMb,
      driver: textIn(row['driver_version']),
    },
    sample: {
      index,
      utilisationPercent: numberIn(row['utilization.gpu'], 100),
      memoryUsedMb: numberIn(row['memory.used'], MEMORY_MAX_MB),
      memoryTotalMb,
      temperatureCelsius: numberIn(row['temperature.gpu'], TEMPERATURE_MAX),
      powerWatts: numberIn(row['power.draw'], POWER_MAX_WATTS),
    },
  };
}

type Row = Readonly<Record<string, string>>;

/** Rows by the name of their column, its unit (`[MiB]`) left out; null without a first line that names `needed`. */
function readTable(output: string, needed: readonly string[]): readonly Row[] | null {
  const lines = output.split(/\r?\n/).map((line) => line.trim());
  const first = lines.findIndex((line) => {
    const names = namesIn(line);
    return needed.every((name) => names.includes(name));
  });
  if (first < 0) return null;
  const names = namesIn(lines[first] ?? '');
  return lines
    .slice(first + 1)
    .filter((line) => line.includes(','))
    .map((line) => Object.fromEntries(cellsIn(line, names.length).map((cell, at) => [names[at], cell])) as Row);
}

const namesIn = (line: string): string[] => line.split(',').map((name) => name.trim().replace(/ \[.*$/, ''));

/** As many as there are columns; the last takes what is left. */
function cellsIn(line: string, count: number): string[] {
  const cells = line.split(',');
  const last = cells.splice(count - 1).join(',');
  return [...cells, last].map((cell) => cell.trim());
}

const isNoDevices = (output: string): boolean => /^no devices were found/im.test(output);

/** The driver's words for "unknown" stand in brackets, or are one of these. */
const isUnknown = (cell: string): boolean =>
  cell === '' || /^\[.*\]$/.test(cell) || /^(N\/A|ERR!|Unknown Error)$/i.test(cell);

function textIn(cell: string | undefined): string | null {
  // By whole characters: half of one could not be stored.
  const text = [...(cell ?? '').replace(/\p{Cc}/gu, '')].slice(0, LIMITS.nameBytesMax / 2).join('');
  return isUnknown(text) ? null : text;
}

/** From 0 to `max`; a value outside is the driver's mistake and as good as none. */
function numberIn(cell: string | undefined, max: number): number | null {
  const digits = /^(\d+(?:\.\d+)?)(?: (?:MiB|W|%|C))?$/.exec(cell ?? '')?.[1];
  const value = digits === undefined ? Number.NaN : Number(digits);
  return value <= max ? value : null;
}

function wholeIn(cell: string | undefined, max: number): number | null {
  const value = numberIn(cell, max);
  return Number.isInteger(value) ? value : null;
}
