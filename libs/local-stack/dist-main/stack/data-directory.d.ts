/** Where everything lies that a local stack keeps. */
export interface DataDirectory {
    readonly root: string;
    readonly postgres: string;
    readonly agent: string;
    readonly logs: string;
    /** Identities of running services, for the start after a kill. */
    readonly running: string;
    readonly stackLock: string;
    readonly adminKey: string;
    readonly workerKey: string;
}
/** The facts that choose the folder; the process's own unless a test gives others. */
export interface PlatformFacts {
    readonly platform: NodeJS.Platform;
    readonly home: string;
    readonly uid: number | undefined;
    readonly cwd: string;
}
type Environment = Readonly<Record<string, string | undefined>>;
/** Pure: `MUSTER_DATA_DIR`, else `/var/lib/muster` for root, else the platform's folder for a user's data. */
export declare function chooseDataDirectory(env: Environment, facts?: PlatformFacts): string;
export declare function dataDirectoryAt(root: string): DataDirectory;
/** The data directory cannot be used. The message names the folder and says what to do. */
export declare class DataDirectoryError extends Error {
    readonly code = "dataDirectory";
    constructor(message: string, options?: ErrorOptions);
}
/**
 * Makes the folder, closed to others. With embedded PostgreSQL under root, the server's user may pass through it.
 *
 * @throws DataDirectoryError when it cannot be made
 * @throws EmbeddedPostgresError `unreachableDataDirectory` when the server's user cannot reach it
 */
export declare function prepareDataDirectory(root: string, options: {
    isPostgresInside: boolean;
}): DataDirectory;
export {};
//# sourceMappingURL=data-directory.d.ts.map