/**
 * Places where a chaos test wants the agent to die, by the name in `MUSTER_CRASH_AT`. In the product the variable is unset
 * and a point costs one comparison.
 */
export const CRASH_POINTS = [
  'afterIntent',
  'beforeSpawn',
  'afterSpawn',
  'afterStopRecorded',
  'afterExitSeen',
  'afterExitRecorded',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

export type CrashAt = (point: CrashPoint) => void;

/** `name` or `name:n`: die at the n-th passing of the point (1 when absent), as if by SIGKILL. */
export function createCrashAt(environment: Readonly<Record<string, string | undefined>>): CrashAt {
  const [name, count] = (environment.MUSTER_CRASH_AT ?? '').split(':');
  if (!name) return () => undefined;
  let left = Number(count ?? 1);
  return (point) => {
    if (point !== name || --left > 0) return;
    process.kill(process.pid, 'SIGKILL');
  };
}
