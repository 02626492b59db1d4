import { type Service } from './service.js';
/** The control plane did not become ready in time. */
export declare class NotReady extends Error {
    readonly code = "notReady";
    constructor(url: string, timeoutMs: number, last: string, logFile: string);
}
export interface ReadinessOptions {
    readonly url: string;
    readonly service: Service;
    readonly logFile: string;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
}
/**
 * Resolves with the address of our control plane once it is ready. What answers on the port counts only after our own
 * service has said that it listens: another program may have taken the port a moment before it.
 *
 * @throws ServiceFailed when the service ends before that
 */
export declare function waitUntilReady(options: ReadinessOptions): Promise<string>;
/** Whether a service ended because somebody else listens on its port. */
export declare function isPortTaken(error: unknown): boolean;
/** The key that a file holds, or `undefined` when there is no such file. */
export declare function keyIn(file: string): string | undefined;
//# sourceMappingURL=readiness.d.ts.map