import type { Finding } from './judge/finding.js';
import type { AttemptRecord, Records } from './judge/records.js';
import type { Timeline } from './timeline.js';

const BEFORE_MS = 8_000;
const FINDINGS_MAX = 12;
const clock = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString().slice(11, 23));

/** Everything somebody needs who was not there. */
export function writeReport(run: {
  readonly seed: number;
  readonly findings: readonly Finding[];
  readonly timeline: Timeline;
  readonly records: Records;
  /** Folder with the logs of the parts. */
  readonly logs: string;
}): string {
  const { seed, findings, timeline, records, logs } = run;
  const told = findings.slice(0, FINDINGS_MAX).map((finding) => tell(finding, timeline, records));
  const more = findings.length > told.length ? [['… and also:', ...findings.slice(FINDINGS_MAX).map(sentenceOf)].join('\n')] : [];
  return [`${findings.length} findings with seed ${seed}; logs of the parts: ${logs}`, ...told, ...more].join('\n\n');
}

const sentenceOf = ({ jobId, sentence }: Finding): string => (jobId === null ? sentence : `${jobId}: ${sentence}`);

function tell({ jobId, sentence }: Finding, timeline: Timeline, records: Records): string {
  if (jobId === null) return sentence;
  const attempts = records.attemptsOf(jobId);
  const events = records.eventsOf(jobId);
  const from = Math.min(...events.map(({ atMs }) => atMs)) - BEFORE_MS;
  const until = Math.max(...events.map(({ atMs }) => atMs));
  return [
    `${jobId}: ${sentence}`,
    ...attempts.map(attemptLine),
    ...events.map(({ type, atMs, data }) => `  ${clock(atMs)} ${type} ${JSON.stringify(data)}`),
    '  faults meanwhile:',
    timeline.toText(from, until).replaceAll(/^/gm, '    '),
  ].join('\n');
}

function attemptLine(attempt: AttemptRecord): string {
  const { id, number, epoch, worker, outcome, exit, detail, offeredAtMs, startedAtMs, endedAtMs } = attempt;
  const times = [offeredAtMs, startedAtMs, endedAtMs].map(clock).join(' → ');
  return `  attempt ${number} (${id}, epoch ${epoch}) on ${worker}: ${times} ${outcome} ${JSON.stringify(exit)} ${detail ?? ''}`;
}
