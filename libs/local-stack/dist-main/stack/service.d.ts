export interface ServiceOptions {
    /** In words, for people: `control plane`. */
    readonly name: string;
    /** A Node program. */
    readonly program: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly cwd: string;
    readonly logFile: string;
    /** Where its identity is kept while it runs. */
    readonly identityFile: string;
    /** When it ends with 0, it was asked to or has nothing left to do: it stays ended. */
    readonly mayEnd: boolean;
    /** It ended; the sentence says what happens now. */
    readonly onNotice: (message: string) => void;
    /** It died and will not be started again. */
    readonly onGiveUp: (error: ServiceFailed) => void;
}
/** A service of the stack ended and is not started again. The message ends with the tail of its log. */
export declare class ServiceFailed extends Error {
    readonly service: string;
    readonly logFile: string;
    readonly logTail: string;
    readonly code = "serviceFailed";
    constructor(service: string, reason: string, logFile: string, logTail: string);
}
/**
 * One of our programs as a process in its own session, tied to us by a message channel: when we die, it sees
 * `disconnect` and ends by itself. Restarted when it dies unasked, except before `keepAlive` is called.
 */
export declare class Service {
    private readonly options;
    private child;
    private exit;
    private logFrom;
    private isKeptAlive;
    private isStopping;
    private deathsAtMs;
    private announcedUrl;
    private restartTimer;
    private hasDied;
    constructor(options: ServiceOptions);
    get pid(): number | undefined;
    get isRunning(): boolean;
    /** It ended without being asked to and does not run again yet, or ever. */
    get isDown(): boolean;
    /** Where the running service said that it listens: the message `{ type: 'listening', url }`. */
    get listeningAt(): string | undefined;
    start(): void;
    /** From now on the service is started again when it dies. Until then its death is the starter's to handle. */
    keepAlive(): void;
    /** Why it is not running, with the end of its log. */
    failure(): Promise<ServiceFailed>;
    /** Sends a message over its channel; a closed channel is no error. */
    send(message: Readonly<Record<string, string | number>>): void;
    signal(signal: NodeJS.Signals): void;
    /** It will not be started again. Says so before asking it to end. */
    expectEnd(): void;
    /** Waits at most this long for it to end; true when it has. */
    waitForEnd(timeoutMs: number): Promise<boolean>;
    private onExit;
    private failed;
}
/** Where a service's identity is kept while it runs. */
export declare function identityFileOf(folder: string, name: string): string;
/**
 * Ends a service that a killed stack left behind; it is usually about to end by itself. A pid that was recycled is left
 * alone. Resolves when the process is gone.
 */
export declare function endLeftover(identityFile: string, timeoutMs: number): Promise<void>;
//# sourceMappingURL=service.d.ts.map