import { tryLock } from '../processes/lock-file.js';
/** A stack already runs on this data directory. Nothing was started. */
export class StackAlreadyRunning extends Error {
    constructor(pid, 
    /** `undefined` while the other stack is still starting. */
    url, dataDir) {
        super(`Muster is already running on ${dataDir}: pid ${pid}, ${url ? `URL ${url}` : 'still starting'}.`);
        this.pid = pid;
        this.url = url;
        this.dataDir = dataDir;
        this.code = 'alreadyRunning';
        this.name = 'StackAlreadyRunning';
    }
}
/**
 * Makes this process the only stack on the data directory until it lets go or dies, however it dies.
 *
 * @throws StackAlreadyRunning naming pid and URL of the other
 */
export async function lockStack(directory) {
    const outcome = await tryLock(directory.stackLock);
    if ('lock' in outcome)
        return outcome.lock;
    throw new StackAlreadyRunning(outcome.heldBy.pid, outcome.heldBy.note.url, directory.root);
}
//# sourceMappingURL=stack-lock.js.map