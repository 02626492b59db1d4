/**
 * Names one process for all time: pids are recycled, a pid with its start time on one boot of one machine is not.
 * Parts that the platform does not tell are absent and then match anything.
 */
export interface ProcessIdentity {
    readonly pid: number;
    /** When the process started, in the platform's own words; only compared. */
    readonly startedAt?: string;
    /** The boot of the machine; only compared. */
    readonly bootId?: string;
}
/** The identity of a living process, or `undefined` when there is none with this pid. */
export declare function identityOf(pid: number): ProcessIdentity | undefined;
/** Whether the process that was recorded still lives. A recycled pid never counts. */
export declare function isStillAlive(recorded: ProcessIdentity): boolean;
/** Whether a process has this pid. A zombie, which has ended and only waits to be collected, does not count on Linux. */
export declare function isAlive(pid: number): boolean;
/** The program's file name without its folder, such as `postgres`; `undefined` when the platform does not tell. */
export declare function programNameOf(pid: number): string | undefined;
//# sourceMappingURL=process-identity.d.ts.map