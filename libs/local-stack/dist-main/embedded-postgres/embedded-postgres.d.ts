import type { ChildProcess } from 'node:child_process';
import { type PostmasterExit } from './postmaster.js';
/** Steps of a start, in order; those that are not needed are not told. */
export type PostgresStep = 'copying' | 'initializing' | 'starting' | 'adopting' | 'ready';
export interface EmbeddedPostgresOptions {
    /** A folder for PostgreSQL alone; made when missing. */
    readonly dataDir: string;
    /** A free loopback port unless told. */
    readonly port?: number;
    /** The database that the URL names, made when missing; `muster` unless told. */
    readonly database?: string;
    /** Server settings, as given with `-c`. */
    readonly settings?: Readonly<Record<string, string>>;
    /**
     * `detached` (the default): the server is in its own session, survives us, and is adopted by the next start.
     * `child`: it stays in our process group, so Ctrl-C ends it with us; for tests.
     */
    readonly mode?: 'detached' | 'child';
    readonly onProgress?: (step: PostgresStep) => void;
    /** Gives up the start; nothing is left running. */
    readonly signal?: AbortSignal;
    /** For one start, crash recovery included; 120 s unless told. */
    readonly startTimeoutMs?: number;
}
export interface EmbeddedPostgres {
    /** Connection string with password, for the database that was asked for. */
    readonly url: string;
    readonly port: number;
    readonly pid: number;
    /** The server was already running: a parent that was killed left it behind. */
    readonly adopted: boolean;
    /** The cluster was made by this start. */
    readonly isNew: boolean;
    readonly logFile: string;
    /** The server's process, unless it was adopted. */
    readonly child?: ChildProcess;
    /** Settles when the server has ended, for whatever reason. */
    readonly exited: Promise<PostmasterExit>;
    /** Fast shutdown; resolves when the server has ended. May be called many times. */
    stop(): Promise<void>;
    /** Signals the main process and, after SIGKILL or SIGQUIT, waits until it is gone. */
    kill(signal: NodeJS.Signals): Promise<void>;
}
/**
 * Starts PostgreSQL on this folder, or adopts the server that already runs on it. Safe to call from several processes at
 * once: one makes the cluster and starts the server, the others wait and adopt it.
 *
 * @throws EmbeddedPostgresError with a sentence that says what to do
 */
export declare function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres>;
//# sourceMappingURL=embedded-postgres.d.ts.map