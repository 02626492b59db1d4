import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { countResults } from './test-counts.mjs';
import { ROOT } from './root.mjs';
import { runNode } from './run.mjs';

/** Test files whose leases are so short that other tests must not take their processors. */
const ALONE = ['e2e/test/chaos.spec.ts'];
/** Most tests wait for processes, databases and timers most of the time: two processors have enough to do with three. */
const WORKERS_FEWEST = 3;

/**
 * Runs Jest over these project folders and answers its counts; a run that left no result counts as one failure.
 *
 * @param alone only the test files that no others may disturb, one after the other; else all others at once
 */
export async function runJest(projects, { alone, isLong, extraArgs }) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-test-'));
  const outputFile = join(folder, 'result.json');
  const atOnce = Math.max(WORKERS_FEWEST, Math.floor(availableParallelism() / 2));
  const args = [
    '--json',
    `--outputFile=${outputFile}`,
    '--passWithNoTests',
    // A run over several projects ignores the limits that stand in their own configurations.
    '--testTimeout=240000',
    `--testSequencer=${join(import.meta.dirname, 'longest-first.mjs')}`,
    alone ? '--runInBand' : `--maxWorkers=${atOnce}`,
    ...extraArgs,
    // Last, because lists of Jest's take in every word that follows.
    ...(alone ? ALONE.map((name) => `--testMatch=**/${name}`) : ignored(isLong)),
  ];
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const { code } = await runNode([jest, '--projects', ...projects, ...args], {
    env: isLong ? { MUSTER_TEST_LONG: '1' } : {},
  });
  const counts = countResults(readResult(outputFile), code);
  rmSync(folder, { recursive: true, force: true });
  return counts;
}

/** In place of what jest.preset.js says. */
function ignored(isLong) {
  const patterns = ['/node_modules/', ...(isLong ? [] : ['\\.long\\.spec\\.']), ...ALONE];
  return patterns.map((pattern) => `--testPathIgnorePatterns=${pattern}`);
}

function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
