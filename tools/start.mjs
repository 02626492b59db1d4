// npm start: installs and builds what is missing, then is `muster up`.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './lib/npm-parent.mjs';
import { prepare } from './lib/preparation.mjs';
import { ROOT } from './lib/root.mjs';

endWithNpm();
await prepare();

// In this very process: there is no wrapper between npm and the launcher that could end before it, swallow its exit code,
// or be killed and leave it behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
const program = join(ROOT, 'apps', 'cli', 'dist', 'bundle', 'main.mjs');
process.argv = [process.argv[0], program, 'up', ...process.argv.slice(2)];
process.setSourceMapsEnabled(true);
await import(pathToFileURL(program).href);
