import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { countResults } from './test-counts.mjs';
import { ROOT } from './root.mjs';
import { runNode } from './run.mjs';

/**
 * Runs Jest over these project folders and answers its counts; a run that left no result counts as one failure.
 *
 * @param serially one test file after the other, for tests that need the whole machine
 */
export async function runJest(projects, { serially, isLong, extraArgs }) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-test-'));
  const outputFile = join(folder, 'result.json');
  const workers = serially ? ['--runInBand'] : [`--maxWorkers=${Math.max(2, Math.floor(availableParallelism() / 2))}`];
  // A run over several projects ignores the limits that stand in their own configurations.
  const timeout = `--testTimeout=${serially ? 240_000 : 120_000}`;
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = ['--json', `--outputFile=${outputFile}`, '--passWithNoTests', timeout, ...workers, ...extraArgs];
  const { code } = await runNode([jest, '--projects', ...projects, ...args], {
    env: isLong ? { MUSTER_TEST_LONG: '1' } : {},
  });
  const counts = countResults(readResult(outputFile), code);
  rmSync(folder, { recursive: true, force: true });
  return counts;
}

function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
