/** What a running server writes into `postmaster.pid`. */
export interface PostmasterFile {
    readonly pid: number;
    readonly port: number;
    /** `starting`, `ready`, `stopping`, `standby`; empty while the server has not yet said. */
    readonly status: string;
}
/** Pure: reads the file's lines. `undefined` when they are not what a server writes (a torn write, an empty file). */
export declare function parsePostmasterFile(content: string): PostmasterFile | undefined;
/**
 * The server that owns this cluster now, if one lives. A file left behind by a server that is gone, or whose pid meanwhile
 * belongs to another program (usual in containers), is removed, since PostgreSQL would refuse to start because of it.
 */
export declare function livingPostmaster(clusterDir: string): Promise<PostmasterFile | undefined>;
/** Whether this pid is a PostgreSQL server that works in this cluster, as far as the platform tells. */
export declare function isServerOf(clusterDir: string, pid: number): Promise<boolean>;
//# sourceMappingURL=postmaster-file.d.ts.map