import { setTimeout as delay } from 'node:timers/promises';
import { anyFreePort } from '../processes/free-port.js';
import { waitForLock } from '../processes/lock-file.js';
import { findBinaries } from './binaries.js';
import { ensureCluster } from './cluster.js';
import { EmbeddedPostgresError } from './errors.js';
import { layoutOf, prepareRoot } from './layout.js';
import { answersAs, ensureDatabase, untilAnswered, urlOf } from './login.js';
import { livingPostmaster } from './postmaster-file.js';
import { adopt, launch, requestStop, signalServer, waitForEnd, } from './postmaster.js';
import { serverUser } from './server-user.js';
/**
 * Starts PostgreSQL on this folder, or adopts the server that already runs on it. Safe to call from several processes at
 * once: one makes the cluster and starts the server, the others wait and adopt it.
 *
 * @throws EmbeddedPostgresError with a sentence that says what to do
 */
export async function startEmbeddedPostgres(options) {
    const layout = layoutOf(options.dataDir);
    const user = serverUser(layout.cluster);
    prepareRoot(layout.root, user);
    const lock = await waitForLock(layout.startLock, options.signal);
    try {
        return await startUnderLock(options, layout, user);
    }
    finally {
        await lock.release();
    }
}
async function startUnderLock(options, layout, user) {
    const { onProgress, signal } = options;
    const onCopy = () => onProgress?.('copying');
    const onInit = () => onProgress?.('initializing');
    const binaries = await findBinaries({ copyDir: layout.binaries, onCopy, ...(user ? { user } : {}) });
    const { password, isNew } = await ensureCluster({ layout, binaries, user, onInit, ...(signal ? { signal } : {}) });
    const parts = { layout, binaries, user, password };
    const untilMs = performance.now() + (options.startTimeoutMs ?? 120_000);
    let postmaster = await adoptLiving(options, parts, untilMs);
    while (!postmaster)
        postmaster = (await startServer(options, parts, untilMs)) ?? (await adoptLiving(options, parts, untilMs));
    const database = options.database ?? 'muster';
    try {
        const address = { port: postmaster.port, password };
        await untilAnswered(() => ensureDatabase(address, database), untilMs, signal);
    }
    catch (error) {
        await giveUp(postmaster, parts);
        throw error;
    }
    onProgress?.('ready');
    return handleOf(postmaster, parts, { url: urlOf({ port: postmaster.port, password }, database), isNew });
}
/** Waits for a server that is still starting or recovering, and for one that is stopping to be gone. */
async function adoptLiving(options, { layout, password }, untilMs) {
    for (let isTold = false;; isTold = true) {
        options.signal?.throwIfAborted();
        const living = await livingPostmaster(layout.cluster);
        if (!living)
            return undefined;
        if (!isTold)
            options.onProgress?.('adopting');
        const isOurs = living.port > 0 && (await answersAs({ port: living.port, password }, layout.cluster));
        if (isOurs && living.status !== 'stopping')
            return adopt(layout.cluster, living.pid, living.port);
        if (performance.now() > untilMs)
            throw foreignServer(layout, living.pid);
        await delay(50);
    }
}
/** Answers `undefined` when a server turned out to be running already. */
async function startServer(options, parts, untilMs) {
    options.onProgress?.('starting');
    for (let portTries = 0;;) {
        const outcome = await launch({
            ...parts,
            port: options.port ?? (await anyFreePort()),
            settings: { max_connections: '200', jit: 'off', ...options.settings },
            isDetached: options.mode !== 'child',
            deadlineMs: Math.max(1_000, untilMs - performance.now()),
            ...(options.signal ? { signal: options.signal } : {}),
        });
        if ('pid' in outcome)
            return outcome;
        if (outcome.reason === 'alreadyRunning')
            return undefined;
        if (outcome.reason === 'portTaken')
            portTries += 1;
        if (outcome.reason === 'portTaken' && options.port !== undefined)
            throw portInUse(options.port, parts.layout);
        const mayRetry = outcome.reason === 'memoryInUse' || (outcome.reason === 'portTaken' && portTries < 10);
        if (!mayRetry || performance.now() > untilMs)
            throw startFailed(parts.layout, outcome.log);
        await delay(100);
    }
}
function handleOf(postmaster, parts, facts) {
    const { layout } = parts;
    let stopping;
    return {
        ...facts,
        port: postmaster.port,
        pid: postmaster.pid,
        adopted: postmaster.child === undefined,
        logFile: layout.log,
        ...(postmaster.child ? { child: postmaster.child } : {}),
        exited: postmaster.exited,
        stop: () => (stopping ??= stop(postmaster, parts)),
        kill: async (signal) => {
            await signalServer(layout.cluster, postmaster, signal);
            if (signal === 'SIGKILL' || signal === 'SIGQUIT')
                await waitForEnd(layout.cluster, postmaster, 30_000);
        },
    };
}
async function stop(postmaster, { layout, binaries }) {
    await requestStop(binaries, layout.cluster, postmaster);
    if (await waitForEnd(layout.cluster, postmaster, 60_000))
        return;
    // Without the last checkpoint; the next start recovers from the log. Nothing committed is lost.
    await signalServer(layout.cluster, postmaster, 'SIGQUIT');
    if (await waitForEnd(layout.cluster, postmaster, 10_000))
        return;
    throw new EmbeddedPostgresError('stopTimedOut', `PostgreSQL (pid ${postmaster.pid}) does not stop; see ${layout.log}.`);
}
/** After a start that failed late: what this start brought up goes again. A server that it found may serve others. */
async function giveUp(postmaster, parts) {
    if (!postmaster.child)
        return;
    // The caller is told why the start failed, which is the news.
    await stop(postmaster, parts).catch(() => postmaster.child?.unref());
}
function foreignServer(layout, pid) {
    return new EmbeddedPostgresError('foreignServer', `A PostgreSQL server (pid ${pid}) uses ${layout.cluster} but does not answer with the password in ${layout.password}. ` +
        'Stop it, then start again.');
}
function portInUse(port, layout) {
    return new EmbeddedPostgresError('portInUse', `PostgreSQL cannot listen on 127.0.0.1:${port}: another program does. Its log is ${layout.log}.`);
}
function startFailed(layout, log) {
    return new EmbeddedPostgresError('startFailed', `PostgreSQL did not start. Its log ${layout.log} ends:\n${log}`);
}
//# sourceMappingURL=embedded-postgres.js.map