import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '../lib/root.mjs';

const ENTRY = `
export { runRange, figuresLine, sumFigures } from './runs/range.js';
export { baseSeed } from './runs/environment.js';
export { SOMETIMES } from './runs/sometimes.js';
export { runSchedule } from './schedule.js';
export { describeFailure } from './failure.js';
export { PROFILES } from './settings/settings.js';
`;

/** One file with the simulator and the product's decisions, from their sources as they are now. Its folder is the caller's to remove. */
export async function bundleSimulator() {
  const folder = mkdtempSync(join(tmpdir(), 'muster-sim-'));
  const file = join(folder, 'simulator.mjs');
  const resolveDir = join(ROOT, 'libs/testing/src/simulation');
  await build({
    stdin: { contents: ENTRY, resolveDir, loader: 'ts' },
    bundle: true,
    outfile: file,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@muster/source'],
    logLevel: 'silent',
  });
  return { folder, file };
}
