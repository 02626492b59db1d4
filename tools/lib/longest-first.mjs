import Sequencer from '@jest/test-sequencer';

/**
 * Test files that take longest, the longest first: one of them begun last would keep a single worker busy while the others
 * have nothing left. Jest itself knows only what it measured before, which on a fresh clone is nothing.
 */
export const LONGEST = [
  'apps/agent/test/process/recovery.spec.ts',
  'apps/control-plane/test/sql/replayed-commands.spec.ts',
  'apps/agent/test/tree-kill/tree-kill.spec.ts',
  'e2e/test/million-lines.spec.ts',
  'e2e/test/crash-points.spec.ts',
  'e2e/test/cli-exit-codes.spec.ts',
  'apps/agent/test/connection/agent-network.spec.ts',
  'e2e/test/cli-contract.spec.ts',
  'apps/control-plane/test/sql/racing-commands.spec.ts',
  'apps/agent/test/process/stopping.spec.ts',
  'apps/agent/test/connection/agent-survival.spec.ts',
  'apps/agent/test/connection/agent-fence.spec.ts',
  'apps/agent/test/process/seats.spec.ts',
  'e2e/test/killed-parts.spec.ts',
  'apps/control-plane/test/leases.spec.ts',
  'apps/control-plane/test/a-busy-control-plane.spec.ts',
  'e2e/test/silent-workers.spec.ts',
  'libs/local-stack/test/embedded-postgres.spec.ts',
];

/**
 * These paths first, all others in the order they had.
 * @template {{ path: string }} T
 * @param {readonly T[]} tests
 * @returns {T[]}
 */
export function longestFirst(tests) {
  const placeOf = ({ path }) => {
    const place = LONGEST.findIndex((name) => path.endsWith(`/${name}`));
    return place < 0 ? LONGEST.length : place;
  };
  return [...tests].sort((a, b) => placeOf(a) - placeOf(b));
}

/** The order in which `npm test` begins test files; what takes no time is left to Jest. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    return longestFirst(super.sort(tests));
  }
}
