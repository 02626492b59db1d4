/** Pieces of recorded schedules, long enough to matter and chosen so that what is rare occurs. */
import { applyDecision, type Slice } from '@muster/domain';
import type { AttemptId } from '@muster/protocol';
import { recordSchedule, type Profile, type RecordedStep } from '@muster/testing';
import { kindsOf } from './kinds.js';
import { sliceOf } from './stored-facts.js';

/** Commands of one window; claims and log bytes between them come on top. */
const COMMANDS = 50;
/** A window may begin after every so many steps. */
const STRIDE = 20;

export interface Window {
  readonly name: string;
  /** Rows and lengths of logs as they stand before the first step. */
  readonly before: Slice;
  readonly logs: ReadonlyMap<AttemptId, number>;
  readonly steps: readonly RecordedStep[];
}

/**
 * One window of each schedule from `firstSeed` on, of those that are long enough: the one that shows most of what the
 * windows before it showed least.
 */
export function* windowsOf(profile: Profile, firstSeed: number, count: number): Generator<Window> {
  const seen = new Map<string, number>();
  for (let seed = firstSeed, made = 0; made < count; seed += 1) {
    const { workers, steps } = recordSchedule(seed, profile);
    const kinds = steps.map((step) => (step.kind === 'command' ? kindsOf(step.command, step.decision) : []));
    const best = bestOf(steps, kinds, seen);
    if (best === undefined) continue;
    made += 1;
    for (const kind of kindsWithin(kinds, best)) seen.set(kind, (seen.get(kind) ?? 0) + 1);
    const { start, end } = best;
    yield { name: `seed ${seed}, profile ${profile}, from step ${start}`, ...stateAt(workers, steps, start), steps: steps.slice(start, end).map(inWholeMs) };
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Undefined when the schedule holds too few commands. */
function bestOf(steps: readonly RecordedStep[], kinds: readonly (readonly string[])[], seen: ReadonlyMap<string, number>): Span | undefined {
  let best: (Span & { readonly worth: number }) | undefined;
  for (let start = 0; start < steps.length; start += STRIDE) {
    const end = endOf(steps, start);
    if (end === undefined) break;
    let worth = 0;
    for (const kind of kindsWithin(kinds, { start, end })) worth += 1 / (1 + (seen.get(kind) ?? 0));
    if (best === undefined || worth > best.worth) best = { start, end, worth };
  }
  return best;
}

/** Where the window that begins here has its commands together. */
function endOf(steps: readonly RecordedStep[], start: number): number | undefined {
  let commands = 0;
  for (let at = start; at < steps.length; at += 1) {
    if (steps[at]?.kind === 'command' && ++commands === COMMANDS) return at + 1;
  }
  return undefined;
}

function kindsWithin(kinds: readonly (readonly string[])[], { start, end }: Span): Set<string> {
  return new Set(kinds.slice(start, end).flat());
}

function stateAt(workers: Parameters<typeof sliceOf>[2], steps: readonly RecordedStep[], start: number): Pick<Window, 'before' | 'logs'> {
  let rows = sliceOf([], [], workers);
  const logs = new Map<AttemptId, number>();
  for (const step of steps.slice(0, start)) {
    if (step.kind === 'insertJob') rows = { ...rows, jobs: new Map([...rows.jobs, [step.job.id, step.job]]) };
    else if (step.kind === 'log') takeLog(rows, logs, step);
    else rows = applyDecision(rows, step.decision);
  }
  const whole = sliceOf([...rows.jobs.values()].map(wholeMs), [...rows.attempts.values()].map(wholeMs), [...rows.workers.values()].map(wholeMs));
  return { before: whole, logs };
}

function takeLog(rows: Slice, logs: Map<AttemptId, number>, { ref, ack }: Extract<RecordedStep, { kind: 'log' }>): void {
  const attempt = rows.attempts.get(ref.attemptId);
  if (attempt !== undefined && 'storedLength' in ack) logs.set(attempt.logId, ack.storedLength);
}

/** The simulator's clock knows parts of milliseconds, those of the facts in PostgreSQL do not. */
function inWholeMs(step: RecordedStep): RecordedStep {
  if (step.kind === 'insertJob') return { ...step, job: wholeMs(step.job) };
  if (step.kind === 'log') return step;
  return { ...step, context: wholeMs(step.context) };
}

function wholeMs<Row extends object>(row: Row): Row {
  const entries = Object.entries(row).map(([name, value]) => [name, name.endsWith('Ms') && typeof value === 'number' ? Math.floor(value) : (value as unknown)]);
  return Object.fromEntries(entries) as Row;
}
