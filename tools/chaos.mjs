// npm run chaos -- [--faults N] [--seed S] [--kinds a,b] [--lengths F] [--jobs N]: faults on real processes, for as long as
// you like; continuous integration does 200 (e2e/test/chaos.spec.ts). --lengths 6 has stops of up to 40 s.
import { build } from 'esbuild';
import { join } from 'node:path';
import { build as buildMuster } from './lib/building.mjs';
import { ROOT } from './lib/root.mjs';
import { runNode } from './lib/run.mjs';

const code = process.env.MUSTER_CHAOS_AS_BUILT ? 0 : await buildMuster();
if (code !== 0) process.exit(code);
const outfile = join(ROOT, 'node_modules', '.cache', 'muster-chaos', 'main.mjs');
await build({
  entryPoints: [join(ROOT, 'e2e', 'chaos', 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
});
// As a child, which is told when we are asked to end, and ends what it started before we end.
process.exitCode = (await runNode([outfile, ...process.argv.slice(2)])).code;
