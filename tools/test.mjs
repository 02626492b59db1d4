// npm test: installs and builds what is missing, then checks, lint, types and every test. The last line is the sum.
//   --long   also the tests that take minutes (*.long.spec.ts); other arguments are handed on to Jest
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NX_ENVIRONMENT } from './lib/nx.mjs';
import { runJest } from './lib/jest-run.mjs';
import { endWithNpm } from './lib/npm-parent.mjs';
import { prepare } from './lib/preparation.mjs';
import { ROOT } from './lib/root.mjs';
import { endingSignal, runNode, runNpm } from './lib/run.mjs';
import { sum, summaryLine } from './lib/test-counts.mjs';

/** Files that go stale silently, and the programs that say whether they are fresh. */
const CHECKS = [
  ['the lock file holds every platform', ['tools/check-lock.mjs']],
  ['.env.example is fresh', ['tools/env-example.mjs', '--check']],
  ['every failure is proven', ['tools/check-failures.mjs']],
];

const isLong = process.argv.includes('--long');
const extraArgs = process.argv.slice(2).filter((argument) => argument !== '--long');
const isEverythingRequired = process.env.MUSTER_TEST_REQUIRE === 'all';
const counts = [];

endWithNpm();
await prepare();
for (const [what, args] of CHECKS) await step(what, () => runNode(args));
// These tests must not be disturbed by others, and leave half of two processors idle: lint and types have that half.
const checking = check('lint').then(async (lint) => [lint, await check('typecheck')]);
await tests('tests that no others may disturb, and behind them lint and types', ['e2e'], { alone: true });
const [lint, types] = await checking;
await step('lint', () => lint);
await step('types', () => types);
await tests('tests', [...projects(), 'e2e'], { alone: false });
finish();

/** Runs one of our commands behind what runs already, without a word. */
async function check(command) {
  const begunAtMs = Date.now();
  const outcome = await runNpm(['run', '--silent', command], { quiet: true, behind: true, env: NX_ENVIRONMENT });
  return { ...outcome, took: seconds(begunAtMs) };
}

/** A step that passes says nothing; one that fails counts as one failure and shows its words. */
async function step(what, work) {
  begin(what);
  const begunAtMs = Date.now();
  const { code, output = '', took = seconds(begunAtMs) } = await work();
  endIfAsked();
  if (code === 0) return console.log(`  ok, ${took} s`);
  console.log(output.trim());
  console.log(`  ${what}: FAILED after ${took} s`);
  counts.push({ passed: 0, failed: 1, skipped: [] });
}

async function tests(what, folders, { alone }) {
  begin(`${what}: ${folders.join(' ')}`);
  const count = await runJest(folders, { alone, isLong, extraArgs });
  endIfAsked();
  counts.push(count);
}

function begin(what) {
  console.log(`\n── ${what}`);
}

function seconds(begunAtMs) {
  return Math.round((Date.now() - begunAtMs) / 1_000);
}

/** Every folder with a Jest configuration except the end-to-end tests. */
function projects() {
  const inside = (folder) => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);
  return [...inside('libs'), ...inside('apps'), 'tools', 'examples'].filter((folder) =>
    existsSync(join(ROOT, folder, 'jest.config.js')),
  );
}

function endIfAsked() {
  if (endingSignal()) process.exit(130);
}

function finish() {
  const skipped = counts.flatMap((count) => count.skipped);
  if (skipped.length > 0)
    console.log(
      `\nSkipped${isEverythingRequired ? ' although everything is required' : ''}:\n  ${skipped.join('\n  ')}`,
    );
  const total = sum(counts, { isEverythingRequired });
  process.exitCode = total.failed > 0 ? 1 : 0;
  console.log(`\n${summaryLine(total)}`);
}
