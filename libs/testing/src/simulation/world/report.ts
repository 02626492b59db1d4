/** How an execution ended, as its agent tells it. */
import type { EndReport } from '@muster/domain';
import type { Outcome } from '@muster/protocol';

export function report(outcome: Outcome, code: number | null, ranMs: number | null): EndReport {
  const exit = code === null ? null : { code, signal: null };
  const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
  const result = outcome === 'succeeded' ? { result: { ok: true } } : {};
  return { outcome, exit, detail: null, usage, containment: 'group', leftovers: 0, logs: {}, ranMs: ranMs === null ? null : Math.round(ranMs), ...result };
}
