/** From what is known about an end to what is said about it: outcome, exit and a sentence. Pure. */
import { constants } from 'node:os';
import type { ContainmentRung, Exit, Outcome } from '@muster/protocol';
import type { ExitStatus } from '../supervisor/attempt-directory.js';
import type { StopRecord } from './stop-record.js';

export interface ExitFacts {
  /** Null when nobody wrote down the end. */
  readonly status: ExitStatus | null;
  /** The program was never executed: forbidden, or the shell could not. */
  readonly noexec: boolean;
  /** `go` is the agent's: the job was kept from starting. */
  readonly wasForbidden: boolean;
  readonly stop: StopRecord | null;
  /** The warden killed it. */
  readonly overdue: boolean;
  /** The kernel killed somebody in the tree for want of memory. */
  readonly outOfMemory: boolean;
  readonly lost: 'supervisorDied' | 'reboot' | null;
  readonly unkillable: boolean;
  readonly rung: ContainmentRung;
  /** This machine's shell names the signal. */
  readonly signalKnown: boolean;
  /** Last line of the output, for a program that never was executed. */
  readonly lastLine: string | null;
}

export interface ClassifiedExit {
  readonly outcome: Outcome;
  readonly exit: Exit | null;
  readonly detail: string | null;
}

export function classifyExit(facts: ExitFacts): ClassifiedExit {
  const exit = facts.status === null || facts.noexec ? null : toExit(facts.status, facts);
  const stop = facts.stop !== null && !endedBefore(facts.status, facts.stop) ? facts.stop : null;
  if (facts.unkillable)
    return { outcome: 'unkillable', exit, detail: 'Its processes were still there 60 s after KILL.' };
  if (stop) return { ...ofStop(stop, facts), exit };
  // Proof that nothing ran: it may be ordered again and costs nobody a try.
  if (facts.wasForbidden)
    return { outcome: 'refused', exit: null, detail: 'It never started: the process prepared for it was gone.' };
  if (facts.overdue)
    return {
      outcome: 'lost',
      exit,
      detail: 'Its lease ran out while the agent could not renew it, so the warden killed it.',
    };
  if (facts.lost === 'reboot')
    return { outcome: 'lost', exit: null, detail: 'The machine was restarted while it ran.' };
  if (facts.status === null)
    return {
      outcome: 'lost',
      exit: null,
      detail: 'Its supervisor died, and with it the knowledge of how the job ended.',
    };
  if (facts.noexec) return { outcome: 'spawnFailed', exit: null, detail: spawnSentence(facts.status, facts.lastLine) };
  if (facts.outOfMemory) return { outcome: 'outOfMemory', exit, detail: 'The kernel killed it at its memory limit.' };
  if (exit?.code === 0) return { outcome: 'succeeded', exit, detail: null };
  return { outcome: 'failed', exit, detail: exit ? exitSentence(exit) : null };
}

/** The end was on disk before anybody was signalled: a stop that came too late explains nothing. */
function endedBefore(status: ExitStatus | null, stop: StopRecord): boolean {
  return status !== null && status.atSeconds < stop.atSeconds;
}

function ofStop(stop: StopRecord, facts: ExitFacts): Pick<ClassifiedExit, 'outcome' | 'detail'> {
  const neverRan = facts.noexec || facts.wasForbidden ? 'It was stopped before it started.' : null;
  switch (stop.cause) {
    case 'runLimit':
    case 'silenceLimit':
      return { outcome: 'timedOut', detail: stop.detail };
    case 'memoryLimit':
      return { outcome: 'outOfMemory', detail: stop.detail };
    case 'cancelled':
    case 'superseded':
    case 'stopped':
      return { outcome: stop.cause, detail: neverRan };
  }
}

/**
 * A shell says 128 + n for signal n. The supervisor's shell also prints the signal's name, except for SIGINT and SIGPIPE;
 * bubblewrap turns a signal into a code itself, so there the two are the same for everybody outside.
 */
export function toExit(
  status: ExitStatus,
  facts: Pick<ExitFacts, 'rung' | 'signalKnown'> & { readonly stop: Pick<StopRecord, 'signal'> | null },
): Exit {
  const { code, text } = status;
  const signal = code > 128 ? (signalNames.get(code - 128) ?? null) : null;
  if (signal === null) return { code, signal: null };
  const isAmbiguous = facts.rung === 'namespace' || !facts.signalKnown;
  if (!isAmbiguous && text !== null && !text.includes(':')) return { code: null, signal };
  const isSilentSignal = signal === 'SIGINT' || signal === 'SIGPIPE';
  if (!isAmbiguous && !isSilentSignal) return { code, signal: null };
  if (facts.stop?.signal === signal) return { code: null, signal };
  return { code, signal, likely: true };
}

const signalNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .filter(([name]) => name !== 'SIGIOT' && name !== 'SIGPOLL' && name !== 'SIGUNUSED')
    .map(([name, number]) => [number, name]),
);

function exitSentence(exit: Exit): string {
  if (exit.likely) return `It ended with code ${exit.code}, which is probably ${exit.signal}.`;
  if (exit.signal !== null) return `It was killed by ${exit.signal}.`;
  return `It ended with code ${exit.code}.`;
}

function spawnSentence(status: ExitStatus, lastLine: string | null): string {
  const said = lastLine ?? status.text;
  return said ? `The program could not be started: ${said}` : 'The program could not be started.';
}
