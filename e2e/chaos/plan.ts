import { Random } from '@muster/testing';

/**
 * What is done to the parts. Variants of one kind are drawn by the fault's own numbers:
 * `agentKill` SIGKILL; `agentCrash` SIGKILL by itself at a named crash point, half of them with all its supervisors;
 * `agentStop` SIGSTOP; `replicaEnd` SIGKILL, SIGTERM, or both replicas one after the other as an update does;
 * `replicaStop` SIGSTOP; `databaseEnd` SIGKILL of the postmaster or a restart; `supervisorKill` and `supervisorStop` the
 * `sh` that watches a job; `wardenEnd` SIGKILL or SIGSTOP of the dead-man loop; `wireSlow` delay, jitter, throttle;
 * `wireCut` a black hole in one direction, in both, or a half-open connection; `wireReset` RST at once or in the middle of
 * a message; `diskFull` no byte free below an agent's state.
 */
export const FAULT_KINDS = [
  'agentKill',
  'agentCrash',
  'agentStop',
  'replicaEnd',
  'replicaStop',
  'databaseEnd',
  'supervisorKill',
  'supervisorStop',
  'wardenEnd',
  'wireSlow',
  'wireCut',
  'wireReset',
  'diskFull',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Fewest faults of each kind in a run of 200. */
export const FEWEST_OF_A_KIND = 15;

export interface PlannedFault {
  /** From 1; its name in reports. */
  readonly number: number;
  readonly kind: FaultKind;
  /** 0 to 1: which of those it could fall on. */
  readonly victim: number;
  /** 0 to 1: which variant of the kind. */
  readonly variant: number;
  /** How long it lasts, where it lasts. */
  readonly lengthMs: number;
  /** Until the next one may begin. */
  readonly gapMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly faults: number;
  /** Kinds that this machine can do. */
  readonly kinds: readonly FaultKind[];
  /** 1 in continuous integration; 6 has stops of up to 40 s. */
  readonly lengthFactor: number;
}

/** Most are short; this share is longer than the shortest lease (4 s). */
const LONG_SHARE = 0.2;
const GAP_MS = { low: 50, high: 650 };

/** The same faults in the same order for the same options; as many of each kind, and the rest by chance. */
export function planFaults({ seed, faults, kinds, lengthFactor }: PlanOptions): readonly PlannedFault[] {
  const chance = new Random(seed);
  const each = Math.floor(faults / kinds.length);
  const sure = kinds.flatMap((kind) => Array.from({ length: each }, () => kind));
  const rest = Array.from({ length: faults - sure.length }, () => chance.pick(kinds));
  return chance.shuffled([...sure, ...rest]).map((kind, index) => ({
    number: index + 1,
    kind,
    victim: chance.next(),
    variant: chance.next(),
    lengthMs: Math.round(
      lengthFactor * (chance.next() < LONG_SHARE ? chance.between(4_200, 6_600) : chance.between(100, 1_800)),
    ),
    gapMs: Math.round(chance.between(GAP_MS.low, GAP_MS.high)),
  }));
}
