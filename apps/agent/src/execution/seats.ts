import { join } from 'node:path';
import type { ContainmentRung } from '@muster/protocol';
import type { ContainmentProbe } from '../containment/probe.js';
import { until } from '../containment/settle-loop.js';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileLane } from '../supervisor/file-lane.js';
import { SeatMaker } from '../supervisor/seat-maker.js';
import type { ExecutionHook } from './execution-hook.js';
import { aheadOfAll } from './hook-chain.js';

export interface SeatsOptions {
  readonly stateDir: string;
  /** Not the thread that a start waits for: making and removing groups may wait for the kernel. */
  readonly lane: FileLane;
  readonly hooks: readonly ExecutionHook[];
  readonly probe: ContainmentProbe;
  /** Seats are for executions on this rung. */
  readonly rung: ContainmentRung;
}

/** A shell at end of file ends at once; longer than this only a machine at its limit takes. */
const EMPTIED_MS = 5_000;

/** Seats as the hooks of this agent need them. */
export function createSeats({ stateDir, lane, hooks, probe, rung }: SeatsOptions): SeatMaker {
  const groups = probe.rungs.cgroup;
  const isEmpty = async (directory: AttemptDirectory): Promise<boolean> => {
    const tree = groups?.tree({ directory, cgroupPath: null, startedHere: false, leader: () => null });
    return !tree || (await tree.look()).isEmpty;
  };
  return new SeatMaker({
    readyDir: join(stateDir, 'ready'),
    lane,
    inCgroup: rung === 'cgroup',
    ahead: (directory) => aheadOfAll(hooks, directory, rung),
    groupPathOf: (directory) => groups?.cgroupPathOf(directory) ?? null,
    emptied: async (directory) => void (await until(() => isEmpty(directory), EMPTIED_MS)),
  });
}
