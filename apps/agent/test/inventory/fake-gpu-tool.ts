import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface FakeGpuTool {
  /** An environment on whose PATH it comes first. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The words of every call so far. */
  calls(): readonly string[];
  behaves(mode: 'well' | 'hangs' | 'fails' | 'old' | 'endless'): void;
  prints(gpus: string, processes?: string): void;
  remove(): void;
}

export const HEADER =
  'index, uuid, driver_version, memory.total [MiB], memory.used [MiB], utilization.gpu [%], temperature.gpu, power.draw [W], name';
export const PROCESS_HEADER = 'gpu_uuid, pid, used_gpu_memory [MiB]';

/** Of NVIDIA's documented format; the values are synthetic. */
export const ONE_GPU = `${HEADER}\n0, GPU-8a1f0c32-0000-0000-0000-000000000001, 550.54.15, 81559, 1024, 37, 41, 118.32, NVIDIA H100 80GB HBM3\n`;

/** A program called nvidia-smi in a folder of its own. */
export function fakeGpuTool(): FakeGpuTool {
  const folder = mkdtempSync(join(tmpdir(), 'muster-gpu-tool-'));
  const file = (name: string): string => join(folder, name);
  copyFileSync(resolve(import.meta.dirname, 'nvidia-smi.sh'), file('nvidia-smi'));
  chmodSync(file('nvidia-smi'), 0o755);
  const tool: FakeGpuTool = {
    environment: { PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    calls: () => (existsSync(file('calls')) ? readFileSync(file('calls'), 'utf8').trim().split('\n') : []),
    behaves: (mode) => writeFileSync(file('mode'), mode),
    prints: (gpus, processes = PROCESS_HEADER) => {
      writeFileSync(file('gpus.csv'), gpus);
      writeFileSync(file('processes.csv'), processes);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  tool.prints(ONE_GPU);
  return tool;
}
