import type { Environment } from '@muster/runtime';
import type { StackPrograms } from './programs.js';
/** What is being started, in order. */
export type StackStep = 'recovery' | 'postgres' | 'controlPlane' | 'agent';
export interface StackProgress {
    readonly step: StackStep;
    /** A step begins and ends once; in between it may say what it is doing. */
    readonly state: 'begun' | 'doing' | 'done';
    /** In words, for people. */
    readonly text: string;
    /** Since the step began. */
    readonly elapsedMs: number;
}
export interface StackOptions {
    /** `process.env` unless told; a `.env` file in `cwd` is read too. */
    readonly env?: Environment;
    readonly cwd?: string;
    /** The built apps unless told. */
    readonly programs?: StackPrograms;
    readonly onProgress?: (progress: StackProgress) => void;
    /** Something a person should read: another port, a service that was started again. One sentence. */
    readonly onNotice?: (message: string) => void;
    /** Gives up the start; what was started is stopped. */
    readonly signal?: AbortSignal;
    /** For the control plane to become ready, migrations included; 120 s unless told. */
    readonly readyTimeoutMs?: number;
}
/** How a stack ended: it was stopped, or something in it could not be kept running. */
export type StackEnd = {
    readonly reason: 'stopped';
} | {
    readonly reason: 'failed';
    readonly error: unknown;
};
export interface Stack {
    readonly url: string;
    readonly dataDir: string;
    /** Where the admin key of the first start is kept, and the key; `undefined` when there is none, as with a used database. */
    readonly adminKeyFile: string;
    readonly adminKey: string | undefined;
    /** The admin key was made by this start: time to show it and the example. */
    readonly firstStart: boolean;
    readonly database: 'embedded' | 'external';
    /** Connection string with password. */
    readonly databaseUrl: string;
    readonly logDir: string;
    /**
     * Stops agent, control plane and PostgreSQL, in this order; resolves when no process is left. Jobs get their stop
     * ladder with at most this grace (10 s unless told) and return to the queue. A second call waits for the first.
     */
    stop(options?: {
        graceSeconds?: number;
    }): Promise<void>;
    /** While it is being stopped: no more grace for the jobs. */
    insist(): void;
    /** Resolves when everything has ended. */
    readonly done: Promise<StackEnd>;
}
//# sourceMappingURL=stack-types.d.ts.map