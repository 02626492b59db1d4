import { type ChildProcess } from 'node:child_process';
import { type ProcessIdentity } from '../processes/process-identity.js';
import type { Binaries } from './binaries.js';
import type { Layout } from './layout.js';
import type { ServerUser } from './server-user.js';
/** How a server ended: its exit code or the signal. Both are unknown for a server that another process started. */
export interface PostmasterExit {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
}
export interface LaunchOptions {
    readonly layout: Layout;
    readonly binaries: Binaries;
    readonly user: ServerUser | undefined;
    readonly port: number;
    readonly password: string;
    readonly settings: Readonly<Record<string, string>>;
    /** In its own session: Ctrl-C in the terminal reaches us and not the server. */
    readonly isDetached: boolean;
    readonly deadlineMs: number;
    readonly signal?: AbortSignal;
}
/** The server's main process, started by us or found running. */
export interface Postmaster {
    readonly pid: number;
    readonly port: number;
    /** Present when we started it. */
    readonly child?: ChildProcess;
    /** Present when we found it: its pid alone would in time name another process. */
    readonly identity?: ProcessIdentity;
    readonly exited: Promise<PostmasterExit>;
}
/** Why a launch did not lead to a server that answers; all but the first are worth another try. */
export type LaunchFailure = {
    readonly reason: 'died' | 'portTaken' | 'memoryInUse' | 'alreadyRunning';
    readonly log: string;
};
/** Starts the server and resolves once a login succeeds, or with why it died before that. */
export declare function launch(options: LaunchOptions): Promise<Postmaster | LaunchFailure>;
/** A server that was running already. Its end is noticed by looking, since it is nobody's child of ours. */
export declare function adopt(clusterDir: string, pid: number, port: number): Postmaster;
/** Waits at most this long for the server to end; true when it has. */
export declare function waitForEnd(clusterDir: string, postmaster: Postmaster, timeoutMs: number): Promise<boolean>;
/** Asks for a fast shutdown: sessions are ended, everything is written. */
export declare function requestStop(binaries: Binaries, clusterDir: string, postmaster: Postmaster): Promise<void>;
/** Sends a signal; a server that is gone already is no error, and whoever has its pid by now is left alone. */
export declare function signalServer(clusterDir: string, postmaster: Postmaster, signal: NodeJS.Signals): Promise<void>;
//# sourceMappingURL=postmaster.d.ts.map