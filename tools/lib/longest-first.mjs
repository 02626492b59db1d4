import Sequencer from '@jest/test-sequencer';

/**
 * Test files that take longest, the longest first: one of them begun last would keep a single worker busy while the others
 * have nothing left. Those that wait for processes stand between those that compute, so that each finds what the other leaves.
 * Jest itself knows only what it measured before, which on a fresh clone is nothing.
 */
export const LONGEST = [
  'apps/control-plane/test/sql/replayed-commands.spec.ts',
  'apps/agent/test/process/recovery.spec.ts',
  'apps/agent/test/tree-kill/tree-kill.spec.ts',
  'libs/testing/src/simulation/runs/simulation-3.spec.ts',
  'apps/agent/test/connection/agent-network.spec.ts',
  'libs/testing/src/simulation/runs/simulation-4.spec.ts',
  'e2e/test/cli-exit-codes.spec.ts',
  'apps/control-plane/test/model/model.spec.ts',
  'apps/agent/test/connection/agent-survival.spec.ts',
  'libs/testing/src/simulation/runs/simulation-2.spec.ts',
  'e2e/test/million-lines.spec.ts',
  'libs/testing/src/simulation/runs/simulation-1.spec.ts',
  'apps/agent/test/process/seats.spec.ts',
  'libs/testing/src/simulation/mutants/mutants.spec.ts',
  'e2e/test/crash-points.spec.ts',
  'apps/agent/test/races/races.spec.ts',
  'apps/agent/test/process/stopping.spec.ts',
  'apps/control-plane/test/sql/sixteen-claimers.spec.ts',
  'e2e/test/killed-parts.spec.ts',
  'apps/control-plane/test/streams-in-order.spec.ts',
  'libs/local-stack/test/stack.spec.ts',
  'apps/control-plane/test/sql/racing-commands.spec.ts',
  'e2e/test/silent-workers.spec.ts',
  'libs/local-stack/test/embedded-postgres.spec.ts',
  'e2e/test/workers-in-service.spec.ts',
  'apps/agent/test/process/supervising.spec.ts',
  'apps/control-plane/test/leases.spec.ts',
  'e2e/test/cli-contract.spec.ts',
  'apps/control-plane/test/a-busy-control-plane.spec.ts',
  'apps/agent/test/connection/agent-fence.spec.ts',
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
