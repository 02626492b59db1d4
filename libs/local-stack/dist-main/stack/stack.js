import { chooseDataDirectory, prepareDataDirectory } from './data-directory.js';
import { builtPrograms, requirePrograms } from './programs.js';
import { RunningStack } from './running-stack.js';
import { readSettings } from './settings.js';
import { lockStack } from './stack-lock.js';
/**
 * Starts PostgreSQL, control plane and one agent on the data directory, and keeps them running.
 *
 * @throws StackAlreadyRunning, ConfigError, DataDirectoryError, EmbeddedPostgresError, ServiceFailed, NotReady, NotBuilt:
 *   each message is for people; nothing is left running
 */
export async function startStack(options = {}) {
    const cwd = options.cwd ?? process.cwd();
    const warn = (message) => options.onNotice?.(message);
    const settings = readSettings({ env: options.env ?? process.env, cwd, warn });
    const programs = requirePrograms(options.programs ?? builtPrograms());
    const root = chooseDataDirectory(settings.env);
    const directory = prepareDataDirectory(root, { isPostgresInside: settings.databaseUrl === undefined });
    const lock = await lockStack(directory);
    const stack = new RunningStack(options, settings, programs, directory, lock);
    try {
        return await stack.start();
    }
    catch (error) {
        await stack.stop(0);
        throw error;
    }
}
//# sourceMappingURL=stack.js.map