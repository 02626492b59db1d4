import { existsSync, readFileSync } from 'node:fs';
import { groupBy } from '../group-by.js';
import type { OwedJob } from '../jobs/feeder.js';
import type { Finding } from './finding.js';
import type { Records } from './records.js';

/** No job was ever given to two agents at once: not by the database, and an exclusive one not in truth either. */
export function judgeLeases(
  owed: ReadonlyMap<string, OwedJob>,
  records: Records,
  marksFile: string,
): readonly Finding[] {
  return [...judgeTerms(owed.keys(), records), ...judgeProcesses(owed, records, readMarks(marksFile))];
}

function judgeTerms(jobIds: Iterable<string>, records: Records): Finding[] {
  return [...jobIds].flatMap((jobId) =>
    records.attemptsOf(jobId).flatMap((attempt, index, all) => {
      const before = all[index - 1];
      if (!before || (attempt.number === before.number + 1 && (before.endedAtMs ?? Infinity) <= attempt.offeredAtMs))
        return [];
      return [
        {
          jobId,
          sentence: `attempt ${attempt.number} (${attempt.worker}) began before attempt ${before.number} (${before.worker}) was over`,
        },
      ];
    }),
  );
}

/** One process of a job that notes when it lived. */
interface Life {
  readonly jobId: string;
  /** Number of the attempt it was started for. */
  readonly number: number;
  readonly fromSeconds: number;
  untilSeconds: number;
  /** It came to its own end; otherwise somebody ended it. */
  hasEnded: boolean;
}

/** Lines of fixtures/marks-its-time.mjs; the last may be torn by a kill. */
function readMarks(file: string): readonly Life[] {
  const lives = new Map<string, Life>();
  for (const line of existsSync(file) ? readFileSync(file, 'latin1').split('\n') : []) {
    const [what, jobId = '', number = '', , name = '', at] = line.split(' ');
    const atSeconds = Number(at);
    if (at === undefined || !Number.isFinite(atSeconds)) continue;
    const key = `${jobId} ${number} ${name}`;
    const known = lives.get(key);
    const life = known ?? { jobId, number: Number(number), fromSeconds: atSeconds, untilSeconds: 0, hasEnded: false };
    if (!known) lives.set(key, life);
    life.untilSeconds = Math.max(life.untilSeconds, atSeconds);
    life.hasEnded ||= what === 'E';
  }
  return [...lives.values()];
}

function judgeProcesses(owed: ReadonlyMap<string, OwedJob>, records: Records, lives: readonly Life[]): Finding[] {
  const findings: Finding[] = [];
  const ofAttempt = groupBy(lives, ({ jobId, number }) => `${jobId} ${number}`);
  const ofJob = groupBy(lives, ({ jobId }) => jobId);
  for (const processes of ofAttempt.values()) {
    const { jobId, number } = processes[0] ?? { jobId: '', number: 0 };
    const found = (sentence: string): void => void findings.push({ jobId, sentence: `attempt ${number} ${sentence}` });
    if (processes.length > 1) found(`was started ${processes.length} times`);
    if (!records.attemptsOf(jobId).some((one) => one.number === number)) found('ran and is not known');
  }
  for (const job of owed.values()) findings.push(...judgeEnds(job, records, ofJob.get(job.id) ?? []));
  for (const [jobId, processes] of ofJob) {
    if (!owed.get(jobId)?.exclusive) continue;
    const inOrder = [...processes].sort((a, b) => a.fromSeconds - b.fromSeconds);
    for (const [index, life] of inOrder.entries()) {
      const before = inOrder[index - 1];
      if (before && before.untilSeconds > life.fromSeconds)
        findings.push({
          jobId,
          sentence: `exclusive, and attempt ${before.number} lived until ${before.untilSeconds} while attempt ${life.number} began at ${life.fromSeconds} (seconds since boot)`,
        });
    }
  }
  return findings;
}

/**
 * An end by its own will is said only of a job with a process that came to it. Whichever attempt that was started for: a
 * process that is taken on again keeps the number it began with.
 */
function judgeEnds(job: OwedJob, records: Records, lives: readonly Life[]): Finding[] {
  const ends = records.attemptsOf(job.id).filter(({ outcome }) => outcome === 'succeeded' || outcome === 'failed');
  if (!job.marks || ends.length <= lives.filter(({ hasEnded }) => hasEnded).length) return [];
  const sentence = `${ends.length} attempts ended by themselves, of ${lives.length} processes fewer did`;
  return [{ jobId: job.id, sentence }];
}
