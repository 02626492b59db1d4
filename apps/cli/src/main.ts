import { runCli } from './cli.js';
import { EXIT } from './exit-codes.js';

// Whoever read our output is gone (`muster ps | head -1`): there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.brokenPipe : EXIT.failed);
  });
}

process.exitCode = await runCli(process.argv.slice(2));
