import type { HeldLock } from '../processes/lock-file.js';
import type { DataDirectory } from './data-directory.js';
import type { StackPrograms } from './programs.js';
import { type StackSettings } from './settings.js';
import type { Stack, StackOptions } from './stack-types.js';
/** The processes of one stack, from the first to the last. */
export declare class RunningStack {
    private readonly options;
    private readonly settings;
    private readonly programs;
    private readonly directory;
    private readonly lock;
    private database;
    private controlPlane;
    private agent;
    private stopping;
    private failure;
    private resolveDone;
    private readonly done;
    constructor(options: StackOptions, settings: StackSettings, programs: StackPrograms, directory: DataDirectory, lock: HeldLock);
    start(): Promise<Stack>;
    /** In the reverse order of the start. Each part is asked, waited for, and in the end made to go. */
    stop(graceSeconds: number): Promise<void>;
    private stopAll;
    private insist;
    private fail;
    /** Services of a stack that was killed end by themselves; their port and state are ours once they have. */
    private recover;
    private startDatabase;
    private startControlPlane;
    private startAgent;
    private service;
    private begin;
    private abortOption;
}
//# sourceMappingURL=running-stack.d.ts.map