import type { Containment } from '../../containment/containment.js';
import type { ContainmentRung } from '@muster/protocol';
import { CannotStart, type ExecutionHook } from '../execution-hook.js';

export type Rungs = Readonly<Partial<Record<ContainmentRung, Containment>>>;

/** Puts the whole tree where it can be ended for certain. */
export function createContainmentHook(rungs: Rungs): ExecutionHook {
  return {
    name: 'containment',
    ahead: (directory, rung) => rungs[rung]?.ahead?.(directory) ?? [],
    prepare({ intent, directory }) {
      const containment = rungs[intent.rung];
      if (!containment) {
        throw new CannotStart(
          'spawnFailed',
          `The job needs containment "${intent.rung}", which this worker cannot give.`,
        );
      }
      const { memoryMb, cpus } = intent.spec.limits;
      const memoryBytes = memoryMb === undefined ? null : memoryMb * 1024 * 1024;
      return containment.prepare(directory, { memoryBytes, cpus: cpus ?? null });
    },
    cleanup({ intent, directory }) {
      const { cgroupPath } = intent;
      return (
        rungs[intent.rung]?.tree({ directory, cgroupPath, startedHere: false, leader: () => null }).cleanup() ?? []
      );
    },
  };
}
