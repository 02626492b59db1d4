import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors.js';
import { blockingFolder } from './server-user.js';
export function layoutOf(root) {
    return {
        root,
        cluster: join(root, 'data'),
        password: join(root, 'password'),
        log: join(root, 'postgres.log'),
        startLock: join(root, 'start.lock'),
        binaries: join(root, 'binaries'),
    };
}
/**
 * Makes the folder, closed to others; when the server runs as another user, that user's group may pass through it. It is
 * our folder, so its own mode is put right; folders above it are not ours and are only judged.
 *
 * @throws EmbeddedPostgresError `unreachableDataDirectory`, naming the folder that blocks
 */
export function prepareRoot(root, user) {
    makeFolder(root);
    if (!user)
        return;
    if (blockingFolder(root, user) === root)
        letPass(root, user);
    const blocking = blockingFolder(root, user);
    if (blocking === undefined)
        return;
    throw new EmbeddedPostgresError('unreachableDataDirectory', `PostgreSQL runs as ${user.name}, who may not enter ${blocking}, so it cannot keep its data in ${root}. ` +
        `Choose another data directory with MUSTER_DATA_DIR, or open the folder: chmod o+x ${blocking}`);
}
/** Makes a folder closed to others. Folders above it that are missing are made open to pass, whatever our umask. */
export function makeFolder(folder) {
    const parent = dirname(folder);
    const outermost = mkdirSync(parent, { recursive: true });
    if (outermost !== undefined)
        for (let made = parent; made.length >= outermost.length; made = dirname(made))
            chmodSync(made, 0o755);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
}
/** Lets the user's group pass through a folder that belongs to us, without letting it list the folder. */
export function letPass(folder, user) {
    const { uid, mode } = statSync(folder);
    if (uid !== process.getuid?.())
        return;
    chownSync(folder, uid, user.gid);
    chmodSync(folder, (mode & 0o7777) | 0o010);
}
//# sourceMappingURL=layout.js.map