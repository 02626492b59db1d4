import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.js';
import { decideRestart } from './restarts.js';
const STEP_TEXTS = {
    copying: 'copying PostgreSQL to where its user can run it',
    initializing: 'making the database (first start)',
    starting: 'starting PostgreSQL',
    adopting: 'finding PostgreSQL already running',
    ready: 'PostgreSQL answers',
};
/** An own server: nothing to start and nothing to stop. */
export function externalDatabase(url) {
    return { url, isEmbedded: false, isAdopted: false, stop: () => Promise.resolve() };
}
/** Starts embedded PostgreSQL and starts it again, on the same port, when it dies unasked. */
export async function keepPostgres(options) {
    const { dataDir, signal } = options;
    const start = (port) => startEmbeddedPostgres({
        dataDir,
        ...(port === undefined ? {} : { port }),
        ...(signal ? { signal } : {}),
        onProgress: (step) => options.onProgress(STEP_TEXTS[step]),
    });
    let server = await start(options.port);
    const first = server;
    let isStopping = false;
    let restarting;
    const deathsAtMs = [];
    const watch = (watched) => {
        void watched.exited.then((exit) => {
            if (!isStopping)
                restarting = restart(exit.code);
        });
    };
    const restart = async (exitCode) => {
        deathsAtMs.push(performance.now());
        const decision = decideRestart(exitCode, deathsAtMs, performance.now());
        if ('giveUp' in decision) {
            options.onGiveUp(new Error(`PostgreSQL does not run: ${decision.giveUp}. See ${server.logFile}.`));
            return;
        }
        options.onRestart('PostgreSQL ended and is started again.');
        await delay(decision.restartAfterMs);
        if (isStopping)
            return;
        try {
            server = await start(first.port);
            watch(server);
        }
        catch (error) {
            options.onGiveUp(error);
        }
    };
    watch(server);
    return {
        url: first.url,
        isEmbedded: true,
        isAdopted: first.adopted,
        stop: async () => {
            isStopping = true;
            await restarting;
            await server.stop();
        },
    };
}
//# sourceMappingURL=database.js.map