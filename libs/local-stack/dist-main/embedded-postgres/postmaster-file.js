import { readFile, readlink, realpath, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, programNameOf } from '../processes/process-identity.js';
/** Pure: reads the file's lines. `undefined` when they are not what a server writes (a torn write, an empty file). */
export function parsePostmasterFile(content) {
    const lines = content.split('\n').map((line) => line.trim());
    const pid = Number(lines[0]);
    const port = Number(lines[3]);
    if (!Number.isSafeInteger(pid) || pid <= 0)
        return undefined;
    return { pid, port: Number.isInteger(port) ? port : 0, status: lines[7] ?? '' };
}
/**
 * The server that owns this cluster now, if one lives. A file left behind by a server that is gone, or whose pid meanwhile
 * belongs to another program (usual in containers), is removed, since PostgreSQL would refuse to start because of it.
 */
export async function livingPostmaster(clusterDir) {
    const path = join(clusterDir, 'postmaster.pid');
    const read = () => readFile(path, 'utf8').catch(() => undefined);
    let content = await read();
    if (content === undefined)
        return undefined;
    // Perhaps it is being written at this moment.
    if (!parsePostmasterFile(content))
        await delay(200);
    content = (await read()) ?? '';
    const file = parsePostmasterFile(content);
    if (file && (await isServerOf(clusterDir, file.pid)))
        return file;
    await unlink(path).catch(() => undefined);
    return undefined;
}
/** Whether this pid is a PostgreSQL server that works in this cluster, as far as the platform tells. */
export async function isServerOf(clusterDir, pid) {
    if (pid === process.pid || !isAlive(pid))
        return false;
    const program = programNameOf(pid);
    if (program !== undefined && !/^postgres(\.exe)?$/.test(program))
        return false;
    if (process.platform !== 'linux')
        return true;
    try {
        return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(clusterDir));
    }
    catch {
        // Not ours to look at: the login decides.
        return true;
    }
}
//# sourceMappingURL=postmaster-file.js.map