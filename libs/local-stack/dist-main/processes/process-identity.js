import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
/** The identity of a living process, or `undefined` when there is none with this pid. */
export function identityOf(pid) {
    if (!isAlive(pid))
        return undefined;
    const startedAt = process.platform === 'linux' ? linuxStartTime(pid) : psColumn(pid, 'lstart');
    const bootId = process.platform === 'linux' ? linuxBootId() : undefined;
    return { pid, ...(startedAt ? { startedAt } : {}), ...(bootId ? { bootId } : {}) };
}
/** Whether the process that was recorded still lives. A recycled pid never counts. */
export function isStillAlive(recorded) {
    const present = identityOf(recorded.pid);
    if (!present)
        return false;
    return isSame(recorded.startedAt, present.startedAt) && isSame(recorded.bootId, present.bootId);
}
/** Whether a process has this pid. A zombie, which has ended and only waits to be collected, does not count on Linux. */
export function isAlive(pid) {
    if (!Number.isSafeInteger(pid) || pid <= 0)
        return false;
    try {
        process.kill(pid, 0);
    }
    catch (error) {
        // EPERM: it lives and belongs to somebody else.
        return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
    }
    return process.platform !== 'linux' || linuxStat(pid)?.[0] !== 'Z';
}
/** The program's file name without its folder, such as `postgres`; `undefined` when the platform does not tell. */
export function programNameOf(pid) {
    if (process.platform === 'linux')
        return readText(`/proc/${pid}/comm`)?.trim();
    return psColumn(pid, 'comm')?.split('/').at(-1);
}
function isSame(recorded, present) {
    return recorded === undefined || present === undefined || recorded === present;
}
function linuxStartTime(pid) {
    // Field 22 of the whole line; the state is field 3 and stands first here.
    return linuxStat(pid)?.[19];
}
/** The fields behind the program's name, which may itself hold spaces and parentheses. */
function linuxStat(pid) {
    const stat = readText(`/proc/${pid}/stat`);
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}
function linuxBootId() {
    return readText('/proc/sys/kernel/random/boot_id')?.trim();
}
function psColumn(pid, column) {
    if (process.platform === 'win32')
        return undefined;
    const { stdout } = spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' });
    return stdout?.trim() || undefined;
}
function readText(path) {
    try {
        return readFileSync(path, 'utf8');
    }
    catch {
        return undefined;
    }
}
//# sourceMappingURL=process-identity.js.map