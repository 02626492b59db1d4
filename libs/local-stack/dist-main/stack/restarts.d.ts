/** What to do about a service that ended without being asked to. */
export type RestartDecision = {
    readonly restartAfterMs: number;
} | {
    readonly giveUp: string;
};
/**
 * Pure: restarts with a growing wait, unless the service cannot work or keeps dying.
 *
 * @param deathsAtMs when it died, oldest first, this death included
 */
export declare function decideRestart(exitCode: number | null, deathsAtMs: readonly number[], nowMs: number): RestartDecision;
//# sourceMappingURL=restarts.d.ts.map