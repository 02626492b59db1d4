import { basename, join } from 'node:path';
import type { ContainmentRung } from '@muster/protocol';
import { findGroups, isOfProbe } from '../containment/group-folders.js';
import { cgroupFoldersOf, type ContainmentProbe } from '../containment/probe.js';
import { until } from '../containment/settle-loop.js';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileLane } from '../supervisor/file-lane.js';
import { SeatMaker } from '../supervisor/seat-maker.js';
import type { ExecutionHook } from './execution-hook.js';
import { aheadOfAll } from './hook-chain.js';

export interface SeatsOptions {
  readonly stateDir: string;
  readonly slots: number;
  /** Not the thread that a start waits for: making and removing groups may wait for the kernel. */
  readonly lane: FileLane;
  readonly hooks: readonly ExecutionHook[];
  readonly probe: ContainmentProbe;
  /** Seats are for executions on this rung. */
  readonly rung: ContainmentRung;
}

/** A shell at end of file ends at once; longer than this only a machine at its limit takes, or one that stands still. */
const EMPTIED_MS = 2_000;

/** Seats as the hooks of this agent need them. */
export function createSeats({ stateDir, slots, lane, hooks, probe, rung }: SeatsOptions): SeatMaker {
  const groups = probe.rungs.cgroup;
  const readyDir = join(stateDir, 'ready');
  const emptied = async (cgroupPath: string, doesKill: boolean): Promise<void> => {
    const directory = new AttemptDirectory(join(readyDir, basename(cgroupPath)));
    const tree = groups?.tree({ directory, cgroupPath, startedHere: false, leader: () => null });
    const mayKill = doesKill || isOfProbe(cgroupPath);
    if (!tree || (await until(async () => (await tree.look()).isEmpty, EMPTIED_MS)) || !mayKill) return;
    await tree.killAll();
    await until(async () => (await tree.look()).isEmpty, EMPTIED_MS);
  };
  return new SeatMaker({
    readyDir,
    spareDir: join(stateDir, 'spare'),
    // As many as jobs that end in a burst leave before their slots are made ready again.
    spares: 8 * slots,
    lane,
    inCgroup: rung === 'cgroup',
    ahead: (directory) => aheadOfAll(hooks, directory, rung),
    groupPathOf: (directory) => groups?.cgroupPathOf(directory) ?? null,
    emptied,
    groupsLeft: async () =>
      probe.cgroupRoot === '' ? [] : findGroups(stateDir, probe.cgroupRoot, cgroupFoldersOf(stateDir)),
  });
}
