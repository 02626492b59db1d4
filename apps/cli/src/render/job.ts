/** How a job looks in lines and tables. */
import type { JobView } from '@muster/protocol';
import type { Colours } from '../output.js';
import { between, duration, plain, shorten } from './text.js';

type Paint = (text: string) => string;

/** The status in its colour. */
export function paintStatus(status: string, colours: Colours): string {
  const paints: Readonly<Record<string, Paint>> = {
    queued: colours.yellow,
    assigned: colours.cyan,
    running: colours.cyan,
    paused: colours.magenta,
    completed: colours.green,
    failed: colours.red,
    cancelled: colours.dim,
    online: colours.green,
    busy: colours.cyan,
    maintenance: colours.yellow,
    error: colours.red,
    offline: colours.dim,
  };
  return (paints[status] ?? ((text) => text))(status);
}

/** How it ended, where it did by an exit or a signal: `exit 3`, `SIGKILL`. */
export function exitText(job: Pick<JobView, 'exitCode' | 'signal'>): string {
  if (job.signal !== null) return job.signal;
  return job.exitCode === null ? '' : `exit ${job.exitCode}`;
}

/** `74%` with the job's own word for it; `-` when it never said. */
export function progressText(job: Pick<JobView, 'progress'>): string {
  const fraction = job.progress?.fraction;
  return fraction === null || fraction === undefined ? '-' : `${Math.round(fraction * 100)}%`;
}

/** Why it is where it is, in one line. A link that is in doubt is said, never hidden. */
export function noteText(job: JobView): string {
  const link = job.workerLink !== null && job.workerLink !== 'connected' ? `worker ${job.workerLink}` : '';
  const isPlainlyFine =
    job.status === 'completed' || (job.status === 'running' && (job.reason === 'running' || job.reason === 'starting'));
  const reason = isPlainlyFine ? '' : reasonOf(job);
  const progress = isPlainlyFine && job.status === 'running' ? (job.progress?.message ?? '') : '';
  const exit = job.status === 'failed' ? exitText(job) : '';
  return plain([link, exit, reason, progress].filter((part) => part !== '').join(' · '));
}

const JOB_HEAD = ['ID', 'NAME', 'STATUS', 'WORKER', 'AGE', 'TIME', 'PROGRESS'];
const NAME_WIDTH = 28;
const NOTE_WIDTH_MIN = 12;
const COLUMN_GAP = 2;

/** Head and rows of a list of jobs; notes are cut so that lines fit `columns`. */
export function jobRows(jobs: readonly JobView[], nowMs: number, columns: number, colours: Colours): string[][] {
  const cells = jobs.map((job) => [
    job.id,
    shorten(plain(job.name), NAME_WIDTH),
    job.status,
    plain(job.workerName ?? '-'),
    duration(nowMs - Date.parse(job.createdAt)),
    between(job.startedAt, job.finishedAt, nowMs),
    progressText(job),
  ]);
  const widths = JOB_HEAD.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const taken = widths.reduce((sum, width) => sum + width + COLUMN_GAP, 0);
  const noteWidth = Math.max(NOTE_WIDTH_MIN, columns - taken);
  const rows = jobs.map((job, index) =>
    [...(cells[index] ?? []), shorten(noteText(job), noteWidth)].with(2, paintStatus(job.status, colours)),
  );
  return [[...JOB_HEAD, 'NOTE'], ...rows];
}

/** One sentence about a job that is over. */
export function endText(job: JobView, nowMs: number): string {
  const time = between(job.startedAt, job.finishedAt, nowMs);
  const took = job.startedAt === null ? '' : ` after ${time}`;
  if (job.status === 'completed') return `completed${took}`;
  const exit = exitText(job);
  const why = reasonOf(job);
  return plain(`${job.status}${took}${exit === '' ? '' : ` (${exit})`}${why === '' ? '' : `: ${why}`}`);
}

/** What its status and exit do not say already; the detail where there is one, because it has the values. */
function reasonOf(job: JobView): string {
  const isSaid = (job.reason === 'nonZeroExit' || job.reason === 'signalled') && exitText(job) !== '';
  if (isSaid || job.reason === 'cancelledByUser') return '';
  return job.reasonDetail ?? job.reasonText.sentence;
}
