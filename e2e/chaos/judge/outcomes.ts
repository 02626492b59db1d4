import { WORKER_TIMEOUT_SECONDS } from '../cluster/timing.js';
import type { OwedJob } from '../jobs/feeder.js';
import type { Timeline } from '../timeline.js';
import type { Finding } from './finding.js';
import type { AttemptRecord, Records } from './records.js';

/**
 * So long after a fault its consequences may still be told: a start of everything, and a report. Longer by the factor by
 * which more is asked of the machine than it has.
 */
const AFTERMATH_MS = 15_000;
/** Clocks of two readings, and the way from an answer to its row. */
const ROUNDING_MS = 500;
const POISON_LOSSES = 3;
const ENDS = ['job.completed', 'job.failed', 'job.cancelled'];

/** No job is lost, none ends twice, every end is the one its program had or one the faults explain. */
export function judgeOutcomes(
  owed: ReadonlyMap<string, OwedJob>,
  records: Records,
  timeline: Timeline,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const job of owed.values()) {
    const found = (sentence: string): void =>
      void findings.push({ jobId: job.id, sentence: `${job.fixture}: ${sentence}` });
    judgeEnd(job, records, found);
    for (const attempt of records.attemptsOf(job.id)) judgeAttempt(job, attempt, timeline, found);
  }
  for (const [id, job] of records.jobs) {
    // A submit whose answer was lost is repeated under its key: it must not make a second job.
    if (!owed.has(id)) findings.push({ jobId: id, sentence: `nobody was told of this job (${job.status})` });
  }
  return findings;
}

type Found = (sentence: string) => void;

function judgeEnd(job: OwedJob, records: Records, found: Found): void {
  const record = records.jobs.get(job.id);
  if (!record) return found('it was acknowledged and is not there: LOST');
  const ends = records.eventsOf(job.id).filter(({ type }) => ENDS.includes(type));
  if (ends.length !== 1) found(`it ended ${ends.length} times: ${ends.map(({ type }) => type).join(', ')}`);
  const attempts = records.attemptsOf(job.id);
  const last = attempts.at(-1);
  const succeeded = attempts.filter(({ outcome }) => outcome === 'succeeded');
  if (succeeded.length > (record.status === 'completed' ? 1 : 0))
    found(`${succeeded.length} attempts succeeded, it is ${record.status}`);
  switch (record.status) {
    case 'completed':
      if (last?.outcome !== 'succeeded') found(`completed, but its last attempt is ${last?.outcome}`);
      return;
    case 'cancelled':
      if (!job.cancelAsked) found('nobody cancelled it');
      return;
    case 'failed':
      return judgeFailure(record.reason, attempts, found);
    default:
      found(`it came to no end: ${record.status} (${record.reason})`);
  }
}

function judgeFailure(reason: string, attempts: readonly AttemptRecord[], found: Found): void {
  const last = attempts.at(-1);
  const losses = attempts.filter(({ outcome, startedAtMs }) => outcome === 'lost' && startedAtMs !== null).length;
  if (reason === 'poisonJob') {
    if (losses < POISON_LOSSES) found(`called a poison job after ${losses} losses`);
  } else if (reason === 'nonZeroExit' || reason === 'signalled') {
    if (last?.outcome !== 'failed') found(`failed by its exit, but its last attempt is ${last?.outcome}`);
  } else if (reason === 'spawnFailed') {
    if (last?.outcome !== 'spawnFailed') found(`failed at its start, but its last attempt is ${last?.outcome}`);
  } else found(`failed with a reason no fault explains: ${reason}`);
}

function judgeAttempt(job: OwedJob, attempt: AttemptRecord, timeline: Timeline, found: Found): void {
  const { outcome, exit, worker, offeredAtMs, endedAtMs, detail } = attempt;
  const about = `attempt ${attempt.number} on ${worker}`;
  const until = endedAtMs ?? Infinity;
  const faults = timeline.around(worker, offeredAtMs, until, aftermathOf(timeline));
  switch (outcome) {
    case 'succeeded':
    case 'failed':
      if (!isExit(exit, job.exit))
        found(`${about} ended with ${JSON.stringify(exit)} instead of ${JSON.stringify(job.exit)} (${detail})`);
      return;
    case 'cancelled':
      if (!job.cancelAsked) found(`${about} was cancelled by nobody`);
      return;
    case 'lost':
      return judgeLoss(job, attempt, timeline, (sentence) => found(`${about} ${sentence}: ${detail}`));
    case 'spawnFailed':
      if (!faults.some(({ kind }) => kind === 'diskFull'))
        found(`${about} could not start, and its disk was not full: ${detail}`);
      return;
    case 'refused':
      // A slot is free again a moment after its job ended; an offer that comes sooner is declined, and costs nothing.
      if (
        !/slots are (taken|held)/.test(detail ?? '') &&
        timeline.around(worker, until, until, aftermathOf(timeline)).length === 0
      )
        found(`${about} was refused, and nothing explains it: ${detail}`);
      return;
    case 'superseded':
      // Given back to a person's pause before it began, or ended at its fence by an agent that could not renew.
      if (job.pause === null && !(job.exclusive && faults.length > 0))
        found(`${about} was superseded, and nothing explains it: ${detail}`);
      return;
    default:
      found(`${about} is ${outcome ?? `still ${attempt.state}`}: ${detail}`);
  }
}

/**
 * A lease ends by silence, so the fault must have fallen in the time it was not renewed, and nobody is given up before that
 * time is over; all else is told by an agent, as soon as it can speak.
 */
function judgeLoss(job: OwedJob, attempt: AttemptRecord, timeline: Timeline, found: Found): void {
  const { worker, offeredAtMs, startedAtMs, endedAtMs, detail } = attempt;
  const leaseMs = (WORKER_TIMEOUT_SECONDS + job.lostAfterSeconds) * 1_000;
  const [until, words] = [endedAtMs ?? Infinity, detail ?? ''];
  const isSilence = /lease/.test(words);
  if (timeline.around(worker, until - (isSilence ? leaseMs : 0), until, aftermathOf(timeline)).length === 0)
    found('was lost without a fault');
  if (/was silent/.test(words) && startedAtMs !== null && until - startedAtMs < leaseMs - ROUNDING_MS)
    found(`was given up before its lease of ${leaseMs} ms was over`);
  const kinds = timeline.around(worker, offeredAtMs, until, aftermathOf(timeline)).map(({ kind }) => kind);
  if (/supervisor/.test(words) && !kinds.some((kind) => kind === 'supervisorKill' || kind === 'agentCrash'))
    found('lost its supervisor, and nobody killed it');
}

const aftermathOf = ({ loadMax }: Timeline): number => AFTERMATH_MS * Math.max(1, loadMax);

/** Where the machine cannot tell a signal from a code, both are given and either is right. */
function isExit(exit: AttemptRecord['exit'], expected: OwedJob['exit']): boolean {
  if (exit === null) return false;
  if (expected.signal !== null) return exit.signal === expected.signal;
  return exit.code === expected.code && (exit.signal === null || exit.likely === true);
}
