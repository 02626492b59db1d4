/** Why embedded PostgreSQL could not be started. */
export type EmbeddedPostgresFailure = 'unsupportedPlatform' | 'unreachableDataDirectory' | 'namelessUser' | 'initFailed' | 'versionMismatch' | 'passwordMissing' | 'portInUse' | 'foreignServer' | 'startFailed' | 'startTimedOut' | 'stopTimedOut';
/** Embedded PostgreSQL cannot run as asked. The message is a sentence for a person and says what to do. */
export declare class EmbeddedPostgresError extends Error {
    readonly code: EmbeddedPostgresFailure;
    constructor(code: EmbeddedPostgresFailure, message: string, options?: ErrorOptions);
}
//# sourceMappingURL=errors.d.ts.map