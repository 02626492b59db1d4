// npm run bench -- core [--rounds N] [--jobs N] [--samples N]: the figures of this build beside the machine's own limits.
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, jobs: { type: 'string', default: '1500' }, samples: { type: 'string', default: '100' } },
});
const suite = positionals[0] ?? 'core';
if (suite !== 'core') {
  console.error(`There is no suite "${suite}". Suites: core.`);
  process.exit(2);
}
const { core, printCore } = await import('./bench/core.mjs');
const figures = await core({ rounds: Number(values.rounds), jobs: Number(values.jobs), samples: Number(values.samples) });
printCore(figures);
mkdirSync(new URL('../bench-results/', import.meta.url), { recursive: true });
writeFileSync(new URL('../bench-results/core.json', import.meta.url), `${JSON.stringify(figures, null, 2)}\n`);
