import { type HeldLock } from '../processes/lock-file.js';
import type { DataDirectory } from './data-directory.js';
/** A stack already runs on this data directory. Nothing was started. */
export declare class StackAlreadyRunning extends Error {
    readonly pid: number;
    /** `undefined` while the other stack is still starting. */
    readonly url: string | undefined;
    readonly dataDir: string;
    readonly code = "alreadyRunning";
    constructor(pid: number, 
    /** `undefined` while the other stack is still starting. */
    url: string | undefined, dataDir: string);
}
/**
 * Makes this process the only stack on the data directory until it lets go or dies, however it dies.
 *
 * @throws StackAlreadyRunning naming pid and URL of the other
 */
export declare function lockStack(directory: DataDirectory): Promise<HeldLock>;
//# sourceMappingURL=stack-lock.d.ts.map