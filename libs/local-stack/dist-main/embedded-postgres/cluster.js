import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './errors.js';
import { asNamedUser, isNameMissing, namelessUser } from './nameless-user.js';
import { ownUserName } from './server-user.js';
import { serverEnvironment } from './server-environment.js';
/** The superuser of the cluster and owner of everything in it. */
export const SUPERUSER = 'muster';
const SCRATCH_PREFIX = '.scratch-';
/**
 * Makes the cluster if there is none and answers the superuser's password. A first start that is killed at any moment
 * leaves nothing half-made: the cluster is made in a scratch folder and renamed when it is whole. Runs under the start lock.
 */
export async function ensureCluster(options) {
    const { layout, binaries } = options;
    await removeScratch(layout.root);
    if (await exists(layout.cluster)) {
        await refuseOtherVersion(layout.cluster, binaries.majorVersion);
        return { password: await keptPassword(layout.password), isNew: false };
    }
    options.onInit?.();
    const password = randomBytes(24).toString('hex');
    const scratch = join(layout.root, `${SCRATCH_PREFIX}${process.pid}-${Date.now()}`);
    await mkdir(scratch, { mode: 0o700 });
    try {
        const passwordFile = join(scratch, 'password');
        await writeFile(passwordFile, password, { mode: 0o600 });
        await giveTo(options.user, scratch, passwordFile);
        await runInitdb(options, join(scratch, 'data'), passwordFile);
        // Kept first: a cluster without its password would be lost, a password without its cluster is replaced next time.
        await keepPassword(layout.password, password);
        await rename(join(scratch, 'data'), layout.cluster);
    }
    finally {
        await rm(scratch, { recursive: true, force: true });
    }
    return { password, isNew: true };
}
async function runInitdb(options, clusterDir, passwordFile) {
    const { binaries, user, signal } = options;
    const args = [
        ...['-D', clusterDir, `--username=${SUPERUSER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
        ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
    ];
    const identity = user ? { uid: user.uid, gid: user.gid } : {};
    const isNameless = !user && ownUserName() === undefined;
    const [program, ...rest] = isNameless ? asNamedUser(binaries.initdb, args) : [binaries.initdb, ...args];
    const child = spawn(program, rest, {
        ...identity,
        cwd: options.layout.root,
        env: serverEnvironment(),
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(signal ? { signal } : {}),
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk.toString()));
    child.stderr.on('data', (chunk) => (output += chunk.toString()));
    const ending = await new Promise((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('close', (code, killedBy) => resolve(code === 0 ? undefined : `it ended with ${killedBy ?? code}`));
    });
    signal?.throwIfAborted();
    if (ending === undefined)
        return;
    if (isNameless && isNameMissing(ending, output))
        throw namelessUser();
    const tail = output.trim().split('\n').slice(-10).join('\n  ');
    throw new EmbeddedPostgresError('initFailed', `PostgreSQL could not make its data directory in ${options.layout.root}: ${ending}.${tail ? `\n  ${tail}` : ''}`);
}
async function refuseOtherVersion(clusterDir, majorVersion) {
    const found = (await readFile(join(clusterDir, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
    if (found === majorVersion)
        return;
    throw new EmbeddedPostgresError('versionMismatch', `The data in ${clusterDir} was written by PostgreSQL ${found || 'of an unknown version'}, but PostgreSQL ${majorVersion} is installed. ` +
        'Start it with the Muster version that wrote it and move the data with its backup command, or choose another MUSTER_DATA_DIR.');
}
async function keptPassword(path) {
    try {
        return (await readFile(path, 'utf8')).trim();
    }
    catch (error) {
        throw new EmbeddedPostgresError('passwordMissing', `The password of the embedded PostgreSQL cannot be read from ${path}. ` +
            'Start Muster as the user who made the data directory, or put the file back.', { cause: error });
    }
}
async function keepPassword(path, password) {
    const draft = `${path}.new`;
    await writeFile(draft, `${password}\n`, { mode: 0o600 });
    await chmod(draft, 0o600);
    await rename(draft, path);
}
async function giveTo(user, ...paths) {
    if (user)
        for (const path of paths)
            await chown(path, user.uid, user.gid);
}
async function removeScratch(root) {
    const left = (await readdir(root)).filter((name) => name.startsWith(SCRATCH_PREFIX));
    for (const name of left)
        await rm(join(root, name), { recursive: true, force: true });
}
function exists(path) {
    return lstat(path).then(() => true, () => false);
}
//# sourceMappingURL=cluster.js.map