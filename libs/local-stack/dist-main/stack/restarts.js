import { EXIT_CODE_CONFIG } from '@muster/runtime';
const DEATHS_MAX = 5;
const WINDOW_MS = 30_000;
/**
 * Pure: restarts with a growing wait, unless the service cannot work or keeps dying.
 *
 * @param deathsAtMs when it died, oldest first, this death included
 */
export function decideRestart(exitCode, deathsAtMs, nowMs) {
    if (exitCode === EXIT_CODE_CONFIG)
        return { giveUp: 'its configuration can never work (exit code 78)' };
    const recent = deathsAtMs.filter((diedAtMs) => nowMs - diedAtMs < WINDOW_MS).length;
    if (recent >= DEATHS_MAX)
        return { giveUp: `it ended ${recent} times within ${WINDOW_MS / 1_000} s` };
    return { restartAfterMs: Math.min(5_000, 250 * 2 ** Math.max(0, recent - 1)) };
}
//# sourceMappingURL=restarts.js.map