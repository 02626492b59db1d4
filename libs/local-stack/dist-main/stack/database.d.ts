/** The database of a stack: embedded and kept running, or an own server that is only named. */
export interface StackDatabase {
    readonly url: string;
    readonly isEmbedded: boolean;
    /** The server was left running by a stack that was killed. */
    readonly isAdopted: boolean;
    stop(): Promise<void>;
}
export interface KeptPostgresOptions {
    readonly dataDir: string;
    readonly port: number | undefined;
    readonly onProgress: (text: string) => void;
    readonly onRestart: (message: string) => void;
    readonly onGiveUp: (error: unknown) => void;
    readonly signal?: AbortSignal;
}
/** An own server: nothing to start and nothing to stop. */
export declare function externalDatabase(url: string): StackDatabase;
/** Starts embedded PostgreSQL and starts it again, on the same port, when it dies unasked. */
export declare function keepPostgres(options: KeptPostgresOptions): Promise<StackDatabase>;
//# sourceMappingURL=database.d.ts.map