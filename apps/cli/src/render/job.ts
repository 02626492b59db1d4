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

const NAME_WIDTH = 28;
const NAME_WIDTH_NARROW = 16;
const WORKER_WIDTH_NARROW = 12;
/** `job_` and the part of an id that tells when it was made, to the millisecond, and a little more: enough to name a job. */
const ID_WIDTH_NARROW = 18;
const NOTE_WIDTH_MIN = 12;
const NOTE_WIDTH_GOOD = 24;
const COLUMN_GAP = 2;

/** How much room there is for each job, from the widest table to the narrowest. */
const LAYOUTS = [
  { hasProgress: true, hasAge: true, isShort: false },
  { hasProgress: false, hasAge: true, isShort: false },
  { hasProgress: false, hasAge: true, isShort: true },
  { hasProgress: false, hasAge: false, isShort: true },
] as const;

/**
 * Head and rows of a list of jobs, so that lines fit `columns`: notes are cut, and where there is no room for them progress
 * goes into the note, ids are shortened to a beginning that names the job, and ages are left out.
 */
export function jobRows(jobs: readonly JobView[], nowMs: number, columns: number, colours: Colours): string[][] {
  const tables = LAYOUTS.map((layout) => cellsOf(jobs, nowMs, layout));
  const longest = Math.max(NOTE_WIDTH_MIN, ...jobs.map((job) => noteText(job).length));
  const wanted = Math.min(longest, NOTE_WIDTH_GOOD);
  const at = tables.findIndex((rows) => columns - widthOf(rows) >= wanted);
  const hasProgress = at === 0;
  const rows = tables[at] ?? tables.at(-1) ?? [];
  const noteWidth = Math.max(NOTE_WIDTH_MIN, columns - widthOf(rows));
  const [head = [], ...cells] = rows;
  return [
    [...head, 'NOTE'],
    ...jobs.map((job, index) => {
      const progress = hasProgress ? '' : progressText(job);
      const note = [progress, noteText(job)].filter((part) => part !== '' && part !== '-').join(' · ');
      return [...(cells[index] ?? []), shorten(note, noteWidth)].with(2, paintStatus(job.status, colours));
    }),
  ];
}

/** All but the note, the head first. */
function cellsOf(jobs: readonly JobView[], nowMs: number, { hasProgress, hasAge, isShort }: (typeof LAYOUTS)[number]): string[][] {
  const head = ['ID', 'NAME', 'STATUS', 'WORKER', ...(hasAge ? ['AGE'] : []), 'TIME', ...(hasProgress ? ['PROGRESS'] : [])];
  const rows = jobs.map((job) => [
    isShort ? job.id.slice(0, ID_WIDTH_NARROW) : job.id,
    shorten(plain(job.name), isShort ? NAME_WIDTH_NARROW : NAME_WIDTH),
    job.status,
    shorten(plain(job.workerName ?? '-'), isShort ? WORKER_WIDTH_NARROW : Number.POSITIVE_INFINITY),
    ...(hasAge ? [duration(nowMs - Date.parse(job.createdAt))] : []),
    between(job.startedAt, job.finishedAt, nowMs),
    ...(hasProgress ? [progressText(job)] : []),
  ]);
  return [head, ...rows];
}

function widthOf(rows: readonly (readonly string[])[]): number {
  const widths = (rows[0] ?? []).map((_head, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)));
  return widths.reduce((sum, width) => sum + width + COLUMN_GAP, 0);
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
