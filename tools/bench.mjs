// npm run bench: the figures of this build beside the machine's own limits. docs/performance.md says how to read them.
import { join } from 'node:path';
import { endWithNpm } from './lib/npm-parent.mjs';
import { prepare } from './lib/preparation.mjs';
import { ROOT } from './lib/root.mjs';
import { readOptions, USAGE } from './bench/options.mjs';

const options = readOptions(process.argv.slice(2));
if ('complaint' in options) {
  console.error(`${options.complaint}\nUsage: ${USAGE}`);
  process.exit(2);
}
endWithNpm();
await prepare();
// Only now is everything there that these need.
const { runSuites } = await import('./bench/run-suites.mjs');
await runSuites({ ...options, folder: join(ROOT, 'bench-results') });
