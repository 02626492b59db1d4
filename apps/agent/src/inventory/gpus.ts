import { execFile } from 'node:child_process';
import type { GpuInfo } from '@muster/protocol';

const QUERY = ['--query-gpu=index,uuid,name,memory.total,driver_version', '--format=csv,noheader,nounits'];
/** The driver may take seconds to wake; a hung one must not hold up the hello. */
const TIMEOUT_MS = 8_000;

/**
 * The GPUs that can be given to jobs by index (`CUDA_VISIBLE_DEVICES`), in the driver's order. Empty where there is no
 * such driver, or it does not answer.
 */
export function readGpus(program = 'nvidia-smi'): Promise<readonly GpuInfo[]> {
  return new Promise((resolve) => {
    execFile(program, QUERY, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, stdout) => {
      resolve(error ? [] : parseGpus(stdout));
    });
  });
}

/** One line per GPU: `0, GPU-8a…, NVIDIA H200, 143771, 570.86.15`. Lines that are not that are passed over. */
export function parseGpus(output: string): readonly GpuInfo[] {
  return output.split('\n').flatMap((line): GpuInfo[] => {
    const [index = '', uuid = '', model = '', memory = '', driver = ''] = line.split(',').map((part) => part.trim());
    if (!/^\d+$/.test(index) || model === '') return [];
    const memoryMb = /^\d+$/.test(memory) ? Number(memory) : null;
    return [
      { index: Number(index), uuid: uuid.startsWith('GPU-') ? uuid : null, model, memoryMb, driver: driver || null },
    ];
  });
}
