import { type ProcessIdentity } from './process-identity.js';
/** Who holds a lock, and what it wanted others to know. */
export interface LockHolder extends ProcessIdentity {
    readonly note: Readonly<Record<string, string>>;
}
export interface HeldLock {
    /** Replaces the note that others read. */
    describe(note: Readonly<Record<string, string>>): Promise<void>;
    /** Lets go. May be called twice. */
    release(): Promise<void>;
}
export type LockOutcome = {
    readonly lock: HeldLock;
} | {
    readonly heldBy: LockHolder;
};
/**
 * Takes a lock that ends with its process, however that dies, and without the operating system's help.
 *
 * A lock is a row of numbered files beside `path`. The highest number rules: it is held while the process named in it
 * lives. Whoever finds it free makes the next number with `link`, which succeeds for exactly one. The highest file is
 * never removed, so nobody can take a number that was already used.
 */
export declare function tryLock(path: string, note?: Readonly<Record<string, string>>): Promise<LockOutcome>;
/** As `tryLock`, but waits for the holder to let go or die. Rejects with the signal's reason when it aborts first. */
export declare function waitForLock(path: string, signal?: AbortSignal): Promise<HeldLock>;
/** Who holds the lock at the moment, without taking it. */
export declare function lockHolder(path: string): Promise<LockHolder | undefined>;
//# sourceMappingURL=lock-file.d.ts.map