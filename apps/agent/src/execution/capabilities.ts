import type { ContainmentRung, JobNeeds } from '@muster/protocol';
import type { ContainmentProbe } from '../containment/probe.js';
import type { ProcessCapabilities } from './execution-types.js';
import { RUN_KINDS } from './hooks/program.hook.js';

const STRENGTH: readonly ContainmentRung[] = ['group', 'cgroup', 'namespace'];

/** The default rung, or the weakest available one that is at least what the job needs; the need itself where none is. */
export function rungFor(
  needs: JobNeeds,
  byDefault: ContainmentRung,
  available: readonly ContainmentRung[],
): ContainmentRung {
  const needed = needs.containment;
  if (needed === undefined || STRENGTH.indexOf(byDefault) >= STRENGTH.indexOf(needed)) return byDefault;
  return STRENGTH.slice(STRENGTH.indexOf(needed)).find((rung) => available.includes(rung)) ?? needed;
}

/** What was probed, in the words of the worker's inventory. */
export function toCapabilities(
  probe: ContainmentProbe,
  rung: ContainmentRung,
  signalKnown: boolean,
): ProcessCapabilities {
  const isHard = (limit: 'memory' | 'cpu'): boolean => rung === 'cgroup' && probe.hardLimits.has(limit);
  return {
    containment: { ...probe.report, default: rung },
    limits: {
      runSeconds: 'sampled',
      silenceSeconds: 'sampled',
      memoryMb: isHard('memory') ? 'hard' : 'sampled',
      cpus: isHard('cpu') ? 'hard' : 'none',
      logBytes: 'sampled',
    },
    signalKnown,
    runKinds: [...RUN_KINDS],
  };
}
