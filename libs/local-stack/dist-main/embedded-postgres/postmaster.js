import { execFile, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openLogFile, readTail, sizeOf } from '../processes/log-file.js';
import { identityOf, isStillAlive } from '../processes/process-identity.js';
import { EmbeddedPostgresError } from './errors.js';
import { answersAs } from './login.js';
import { isServerOf } from './postmaster-file.js';
import { serverEnvironment } from './server-environment.js';
/** Starts the server and resolves once a login succeeds, or with why it died before that. */
export async function launch(options) {
    const { layout } = options;
    const logFrom = sizeOf(layout.log) ?? 0;
    const child = spawnServer(options);
    const exited = exitOf(child);
    let isOver = false;
    void exited.then(() => (isOver = true));
    const untilMs = performance.now() + options.deadlineMs;
    while (!isOver) {
        if (options.signal?.aborted || performance.now() > untilMs)
            break;
        // Somebody else on this port may take the login and never answer it; our server's end is answer enough.
        const answers = Promise.race([answersAs(options, layout.cluster), exited.then(() => false)]);
        if (child.pid !== undefined && (await answers))
            return { pid: child.pid, port: options.port, child, exited };
        await Promise.race([delay(25), exited]);
    }
    const log = readTail(layout.log, { from: Math.min(logFrom, sizeOf(layout.log) ?? 0), lines: 10 });
    if (isOver)
        return { reason: reasonOf(log), log: log || (await exited).spawnError || '' };
    child.kill('SIGQUIT');
    await exited;
    options.signal?.throwIfAborted();
    throw new EmbeddedPostgresError('startTimedOut', `PostgreSQL did not answer within ${Math.round(options.deadlineMs / 1_000)} s. Its log ${layout.log} ends:\n${log}`);
}
/** A server that was running already. Its end is noticed by looking, since it is nobody's child of ours. */
export function adopt(clusterDir, pid, port) {
    const found = { pid, identity: identityOf(pid) ?? { pid } };
    const watch = async () => {
        while (await isStillThere(clusterDir, found))
            await delay(250, undefined, { ref: false });
        return { code: null, signal: null };
    };
    return { ...found, port, exited: watch() };
}
/** Whether the very process that was found still serves this cluster. */
async function isStillThere(clusterDir, found) {
    return (await isServerOf(clusterDir, found.pid)) && isStillAlive(found.identity ?? { pid: found.pid });
}
/** Waits at most this long for the server to end; true when it has. */
export async function waitForEnd(clusterDir, postmaster, timeoutMs) {
    const untilMs = performance.now() + timeoutMs;
    while (performance.now() < untilMs) {
        const isOver = postmaster.child
            ? postmaster.child.exitCode !== null || postmaster.child.signalCode !== null
            : !(await isStillThere(clusterDir, postmaster));
        if (isOver)
            return true;
        await delay(20);
    }
    return false;
}
/** Asks for a fast shutdown: sessions are ended, everything is written. */
export async function requestStop(binaries, clusterDir, postmaster) {
    if (process.platform === 'win32') {
        // There a signal would end the process without a word; this asks through the server's own channel.
        await new Promise((resolve) => {
            execFile(binaries.pgCtl, ['stop', '-D', clusterDir, '-m', 'fast', '-W'], () => resolve());
        });
        return;
    }
    await signalServer(clusterDir, postmaster, 'SIGINT');
}
/** Sends a signal; a server that is gone already is no error, and whoever has its pid by now is left alone. */
export async function signalServer(clusterDir, postmaster, signal) {
    if (postmaster.child) {
        postmaster.child.kill(signal);
        return;
    }
    if (!(await isStillThere(clusterDir, postmaster)))
        return;
    try {
        process.kill(postmaster.pid, signal);
    }
    catch {
        // Gone.
    }
}
function spawnServer(options) {
    const { layout, binaries, user } = options;
    const settings = {
        // No socket file in the shared temporary folder: loopback only.
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        ...options.settings,
    };
    const args = ['-D', layout.cluster, '-p', String(options.port)];
    for (const [name, value] of Object.entries(settings))
        args.push('-c', `${name}=${value}`);
    const log = openLogFile(layout.log);
    try {
        return spawn(binaries.postgres, args, {
            ...(user ? { uid: user.uid, gid: user.gid } : {}),
            cwd: layout.root,
            env: serverEnvironment(),
            stdio: ['ignore', log, log],
            detached: options.isDetached,
            windowsHide: true,
        });
    }
    finally {
        closeSync(log);
    }
}
function exitOf(child) {
    return new Promise((resolve) => {
        child.once('error', (error) => resolve({ code: null, signal: null, spawnError: error.message }));
        child.once('exit', (code, signal) => resolve({ code, signal }));
    });
}
function reasonOf(log) {
    if (/could not bind|Address already in use|could not create any TCP\/IP sockets/.test(log))
        return 'portTaken';
    // Children of a server that was killed have not all gone yet.
    if (/pre-existing shared memory block|is still in use/.test(log))
        return 'memoryInUse';
    // Its starter was killed before it had written its pid file; it has by now.
    if (/lock file ".*postmaster.pid" already exists/.test(log))
        return 'alreadyRunning';
    return 'died';
}
//# sourceMappingURL=postmaster.js.map