import { ConfigError, createLogger, EXIT_CODE_CONFIG, installShutdown } from '@muster/runtime';
import { readConfig, type ControlPlaneConfig } from './config.js';
import { startControlPlane } from './control-plane.js';
import { ForeignSchema } from './database/migrate.js';

/** Whatever hangs, a stop takes no longer. */
const STOP_MS_MAX = 9_000;

function configOrExit(): ControlPlaneConfig {
  try {
    return readConfig((message) => process.stderr.write(`${message}\n`));
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
    process.exit(EXIT_CODE_CONFIG);
  }
}

const config = configOrExit();
const log = createLogger({ name: 'controlPlane', level: config.logLevel });
const waiting = new AbortController();
const starting = startControlPlane({ config, log, signal: waiting.signal });
const shutdown = installShutdown({
  run: async (reason) => {
    log.info({ reason }, 'stopping');
    waiting.abort();
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
    const controlPlane = await starting.catch(() => undefined);
    await controlPlane?.stop();
  },
  onError: (error) => log.error({ err: error }, 'stop failed'),
});
// Started by another of our programs: without it nobody would ever stop us.
process.once('disconnect', () => shutdown.request('parent gone'));
// It may have died before we listened.
if (process.connected === false) shutdown.request('parent gone');
process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
starting.then(
  ({ url }) => process.send?.({ type: 'listening', url }),
  (error: unknown) => {
    if (shutdown.isRequested) return;
    if (error instanceof ForeignSchema) log.fatal(error.message);
    else log.fatal({ err: error }, 'not started');
    process.exit(1);
  },
);
