import type { PendingCommand, Verdict } from '@muster/protocol';

/** What verdicts ask a program to do, without those that only let it go on. */
export function commandsOf(verdicts: readonly Verdict[]): PendingCommand[] {
  return verdicts.flatMap((verdict): PendingCommand[] => {
    if (verdict.kind === 'stop') return [{ ...verdict.ref, kind: 'stop', graceSeconds: 0, reason: verdict.reason }];
    if (verdict.kind === 'keep' && verdict.command !== null) return [{ ...verdict.ref, ...verdict.command }];
    return [];
  });
}
