import { readFileSync, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
/**
 * PostgreSQL refuses to run as root. As root it is run by the owner of an existing cluster, else by `postgres` where
 * that user exists, else by `nobody`. Otherwise `undefined`: it runs as whoever we are.
 */
export function serverUser(clusterDir) {
    if (process.getuid?.() !== 0)
        return undefined;
    const owner = statSync(clusterDir, { throwIfNoEntry: false });
    if (owner && owner.uid !== 0)
        return { uid: owner.uid, gid: owner.gid, name: `user ${owner.uid}` };
    return findUser(readPasswd());
}
/** Pure: chooses from the text of `/etc/passwd`. */
export function findUser(passwd) {
    const entries = passwd.split('\n').map((line) => line.split(':'));
    for (const name of ['postgres', 'nobody']) {
        const entry = entries.find((fields) => fields[0] === name);
        const uid = Number(entry?.[2]);
        const gid = Number(entry?.[3]);
        // A negative id (macOS writes -2 for nobody) is the unsigned one in the kernel's eyes.
        if (entry && Number.isInteger(uid) && uid !== 0)
            return { uid: uid >>> 0, gid: gid >>> 0, name };
    }
    return { uid: 65_534, gid: 65_534, name: 'nobody' };
}
/** What the system calls the user we run as; `undefined` when it lists no such user, as with any uid in a container. */
export function ownUserName() {
    try {
        return userInfo().username;
    }
    catch {
        return undefined;
    }
}
/** The text of `/etc/passwd`, empty where there is none. */
export function readPasswd() {
    try {
        return readFileSync('/etc/passwd', 'utf8');
    }
    catch {
        return '';
    }
}
/** The outermost folder on the way to `path` that this user may not pass, `path` included; `undefined` when there is none. */
export function blockingFolder(path, user) {
    const folders = [];
    for (let folder = realpathSync(path);; folder = dirname(folder)) {
        folders.unshift(folder);
        if (folder === dirname(folder))
            break;
    }
    return folders.find((folder) => !mayPass(folder, user));
}
function mayPass(folder, user) {
    const { mode, uid, gid } = statSync(folder);
    if (uid === user.uid)
        return (mode & 0o100) !== 0;
    if (gid === user.gid)
        return (mode & 0o010) !== 0;
    return (mode & 0o001) !== 0;
}
//# sourceMappingURL=server-user.js.map