import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceFailed } from './service.js';
/** The control plane did not become ready in time. */
export class NotReady extends Error {
    constructor(url, timeoutMs, last, logFile) {
        super(`The control plane at ${url} did not become ready within ${timeoutMs / 1_000} s (${last}). See ${logFile}.`);
        this.code = 'notReady';
        this.name = 'NotReady';
    }
}
/**
 * Resolves with the address of our control plane once it is ready. What answers on the port counts only after our own
 * service has said that it listens: another program may have taken the port a moment before it.
 *
 * @throws ServiceFailed when the service ends before that
 */
export async function waitUntilReady(options) {
    const { service, signal } = options;
    const untilMs = performance.now() + options.timeoutMs;
    for (;;) {
        signal?.throwIfAborted();
        if (!service.isRunning)
            throw await service.failure();
        const url = service.listeningAt === undefined ? undefined : options.url;
        const status = url === undefined ? undefined : await statusOf(`${url}/health/ready`);
        if (url !== undefined && status === 200)
            return url;
        if (performance.now() > untilMs) {
            const last = status === undefined ? 'no answer' : `answer ${status}`;
            throw new NotReady(options.url, options.timeoutMs, last, options.logFile);
        }
        await delay(50);
    }
}
/** Whether a service ended because somebody else listens on its port. */
export function isPortTaken(error) {
    return error instanceof ServiceFailed && /EADDRINUSE|address already in use/i.test(error.logTail);
}
/** The key that a file holds, or `undefined` when there is no such file. */
export function keyIn(file) {
    try {
        return readFileSync(file, 'utf8').trim() || undefined;
    }
    catch {
        return undefined;
    }
}
async function statusOf(url) {
    try {
        const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5_000) });
        await response.body?.cancel();
        return response.status;
    }
    catch {
        return undefined;
    }
}
//# sourceMappingURL=readiness.js.map