// How many processes this machine starts a second, measured beside each round of jobs, because it moves by the minute.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inParallel } from '../measure/waiting.mjs';

/** Builds the raw spawner once; a dash loop stands in where there is no compiler, and the report says so. */
export function prepareRawSpawn() {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'));
  const binary = join(folder, 'raw-spawn');
  const built = spawnSync('cc', ['-O2', '-o', binary, join(import.meta.dirname, 'raw-spawn.c')], { stdio: 'ignore' });
  const usesC = built.status === 0 && existsSync(binary);
  return {
    how: usesC ? 'posix_spawn/s in C, 8 in flight' : 'spawns/s of a dash loop',
    /** Processes per second. */
    rate(count) {
      const began = performance.now();
      const run = usesC
        ? spawnSync(binary, [String(count)])
        : spawnSync('/bin/sh', ['-c', `i=0; while [ $i -lt ${count} ]; do /bin/true; i=$((i+1)); done`]);
      if (run.status !== 0) throw new Error('The raw spawn loop failed.');
      return count / ((performance.now() - began) / 1000);
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Children per second that Node itself starts with pipes, 8 in flight. */
export async function nodeSpawnRate(count) {
  const began = performance.now();
  await inParallel(
    count,
    8,
    () =>
      new Promise((resolve, reject) => {
        spawn('/bin/true', { stdio: ['ignore', 'pipe', 'pipe'] })
          .once('exit', resolve)
          .once('error', reject);
      }),
  );
  return count / ((performance.now() - began) / 1000);
}
