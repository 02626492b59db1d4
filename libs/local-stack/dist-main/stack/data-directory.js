import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder, prepareRoot } from '../embedded-postgres/layout.js';
import { serverUser } from '../embedded-postgres/server-user.js';
/** Pure: `MUSTER_DATA_DIR`, else `/var/lib/muster` for root, else the platform's folder for a user's data. */
export function chooseDataDirectory(env, facts = ownFacts()) {
    if (env.MUSTER_DATA_DIR)
        return resolve(facts.cwd, env.MUSTER_DATA_DIR);
    if (facts.uid === 0)
        return '/var/lib/muster';
    if (facts.platform === 'win32')
        return join(env.LOCALAPPDATA || join(facts.home, 'AppData', 'Local'), 'muster', 'Data');
    if (facts.platform === 'darwin')
        return join(facts.home, 'Library', 'Application Support', 'muster');
    return join(env.XDG_DATA_HOME || join(facts.home, '.local', 'share'), 'muster');
}
export function dataDirectoryAt(root) {
    return {
        root,
        postgres: join(root, 'postgres'),
        agent: join(root, 'agent'),
        logs: join(root, 'logs'),
        running: join(root, 'running'),
        stackLock: join(root, 'stack.lock'),
        adminKey: join(root, 'admin.key'),
        workerKey: join(root, 'worker.key'),
    };
}
/** The data directory cannot be used. The message names the folder and says what to do. */
export class DataDirectoryError extends Error {
    constructor(message, options) {
        super(message, options);
        this.code = 'dataDirectory';
        this.name = 'DataDirectoryError';
    }
}
/**
 * Makes the folder, closed to others. With embedded PostgreSQL under root, the server's user may pass through it.
 *
 * @throws DataDirectoryError when it cannot be made
 * @throws EmbeddedPostgresError `unreachableDataDirectory` when the server's user cannot reach it
 */
export function prepareDataDirectory(root, options) {
    const directory = dataDirectoryAt(root);
    try {
        for (const folder of [root, directory.logs, directory.running, directory.agent])
            makeFolder(folder);
    }
    catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new DataDirectoryError(`The data directory ${root} cannot be made or written: ${reason}. Name another one with MUSTER_DATA_DIR.`, { cause: error });
    }
    if (options.isPostgresInside)
        prepareRoot(root, serverUser(join(directory.postgres, 'data')));
    return directory;
}
function ownFacts() {
    return { platform: process.platform, home: homedir(), uid: process.getuid?.(), cwd: process.cwd() };
}
//# sourceMappingURL=data-directory.js.map