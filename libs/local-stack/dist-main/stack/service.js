import { spawn } from 'node:child_process';
import { closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openLogFile, readTail, sizeOf } from '../processes/log-file.js';
import { identityOf, isStillAlive } from '../processes/process-identity.js';
import { decideRestart } from './restarts.js';
/** A service of the stack ended and is not started again. The message ends with the tail of its log. */
export class ServiceFailed extends Error {
    constructor(service, reason, logFile, logTail) {
        const tail = logTail
            ? ` Its log ${logFile} ends:\n${logTail.replace(/^/gm, '  ')}`
            : ` Its log ${logFile} is empty.`;
        super(`The ${service} does not run: ${reason}.${tail}`);
        this.service = service;
        this.logFile = logFile;
        this.logTail = logTail;
        this.code = 'serviceFailed';
        this.name = 'ServiceFailed';
    }
}
/**
 * One of our programs as a process in its own session, tied to us by a message channel: when we die, it sees
 * `disconnect` and ends by itself. Restarted when it dies unasked, except before `keepAlive` is called.
 */
export class Service {
    constructor(options) {
        this.options = options;
        this.logFrom = 0;
        this.isKeptAlive = false;
        this.isStopping = false;
        this.deathsAtMs = [];
        this.hasDied = false;
    }
    get pid() {
        return this.child?.pid;
    }
    get isRunning() {
        return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
    }
    /** It ended without being asked to and does not run again yet, or ever. */
    get isDown() {
        return this.hasDied;
    }
    /** Where the running service said that it listens: the message `{ type: 'listening', url }`. */
    get listeningAt() {
        return this.announcedUrl;
    }
    start() {
        this.announcedUrl = undefined;
        this.hasDied = false;
        const { program, env, cwd, logFile, identityFile } = this.options;
        this.logFrom = sizeOf(logFile) ?? 0;
        const log = openLogFile(logFile);
        this.logFrom = Math.min(this.logFrom, sizeOf(logFile) ?? 0);
        const child = spawn(process.execPath, [program], {
            env: { ...env },
            cwd,
            detached: true,
            stdio: ['ignore', log, log, 'ipc'],
            windowsHide: true,
        });
        closeSync(log);
        // A message to a service that is just ending is lost, and that is all.
        child.on('error', () => undefined);
        child.on('message', (message) => {
            if (this.child === child)
                this.announcedUrl = urlIn(message) ?? this.announcedUrl;
        });
        this.child = child;
        if (child.pid !== undefined)
            writeFileSync(identityFile, JSON.stringify(identityOf(child.pid)), { mode: 0o600 });
        this.exit = new Promise((resolve) => {
            child.once('exit', (code, signal) => resolve({ code, signal }));
            child.once('error', () => child.pid === undefined && resolve({ code: null, signal: null }));
        });
        void this.exit.then((exit) => this.onExit(exit));
    }
    /** From now on the service is started again when it dies. Until then its death is the starter's to handle. */
    keepAlive() {
        this.isKeptAlive = true;
    }
    /** Why it is not running, with the end of its log. */
    async failure() {
        const { code, signal } = (await this.exit) ?? { code: null, signal: null };
        return this.failed(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`);
    }
    /** Sends a message over its channel; a closed channel is no error. */
    send(message) {
        if (this.child?.connected)
            this.child.send(message, () => undefined);
    }
    signal(signal) {
        if (this.isRunning)
            this.child?.kill(signal);
    }
    /** It will not be started again. Says so before asking it to end. */
    expectEnd() {
        this.isStopping = true;
        clearTimeout(this.restartTimer);
    }
    /** Waits at most this long for it to end; true when it has. */
    async waitForEnd(timeoutMs) {
        if (!this.isRunning)
            return true;
        const controller = new AbortController();
        const timeout = delay(timeoutMs, false, { signal: controller.signal }).catch(() => false);
        const isOver = await Promise.race([this.exit?.then(() => true) ?? true, timeout]);
        controller.abort();
        return isOver;
    }
    onExit({ code, signal }) {
        rmSync(this.options.identityFile, { force: true });
        if (!this.isKeptAlive || this.isStopping)
            return;
        if (code === 0 && this.options.mayEnd) {
            this.options.onNotice(`The ${this.options.name} was asked to end and stays ended; see ${this.options.logFile}.`);
            return;
        }
        this.hasDied = true;
        const nowMs = performance.now();
        this.deathsAtMs.push(nowMs);
        const decision = decideRestart(code, this.deathsAtMs, nowMs);
        if ('giveUp' in decision) {
            this.options.onGiveUp(this.failed(decision.giveUp));
            return;
        }
        // Before the notice, whose reader may want everything to stop.
        this.restartTimer = setTimeout(() => this.start(), decision.restartAfterMs);
        this.options.onNotice(`The ${this.options.name} ended (${signal ?? `exit code ${code}`}) and is started again.`);
    }
    failed(reason) {
        const { name, logFile } = this.options;
        return new ServiceFailed(name, reason, logFile, readTail(logFile, { from: this.logFrom, lines: 20 }));
    }
}
function urlIn(message) {
    if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== 'listening')
        return undefined;
    return 'url' in message ? String(message.url) : undefined;
}
/** Where a service's identity is kept while it runs. */
export function identityFileOf(folder, name) {
    return join(folder, `${name.replace(/\W+/g, '-')}.json`);
}
/**
 * Ends a service that a killed stack left behind; it is usually about to end by itself. A pid that was recycled is left
 * alone. Resolves when the process is gone.
 */
export async function endLeftover(identityFile, timeoutMs) {
    const identity = readIdentity(identityFile);
    if (identity && isStillAlive(identity)) {
        kill(identity.pid, 'SIGTERM');
        const untilMs = performance.now() + timeoutMs;
        while (isStillAlive(identity)) {
            if (performance.now() > untilMs)
                kill(identity.pid, 'SIGKILL');
            await delay(50);
        }
    }
    rmSync(identityFile, { force: true });
}
function kill(pid, signal) {
    try {
        process.kill(pid, signal);
    }
    catch {
        // Gone.
    }
}
function readIdentity(file) {
    try {
        const parsed = JSON.parse(readFileSync(file, 'utf8'));
        if (typeof parsed !== 'object' || parsed === null || !('pid' in parsed) || typeof parsed.pid !== 'number')
            return undefined;
        const startedAt = 'startedAt' in parsed ? String(parsed.startedAt) : undefined;
        const bootId = 'bootId' in parsed ? String(parsed.bootId) : undefined;
        // Without a start time a recycled pid could not be told: better to leave the process alone.
        return startedAt ? { pid: parsed.pid, startedAt, ...(bootId ? { bootId } : {}) } : undefined;
    }
    catch {
        return undefined;
    }
}
//# sourceMappingURL=service.js.map