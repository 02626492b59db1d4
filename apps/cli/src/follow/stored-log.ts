/** What is stored of a log now, from a line near its end on. */
import type { LogStream } from '@muster/protocol';
import type { LogSegment, Muster } from '@muster/client';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';

export interface StreamPlace {
  readonly jobId: string;
  /** The newest unless given. */
  readonly attempt?: number;
  readonly stream: LogStream;
  readonly signal: AbortSignal;
}

/** A segment and the attempt that printed it. */
export interface StoredSegment extends LogSegment {
  readonly attemptId: string;
}

const PAGE_BYTES = 1_048_576;
const NEW_LINE = 0x0a;

/** From the last `tailLines` lines, or from the beginning, to what is stored when this is called. */
export async function* segmentsOf(
  muster: Muster,
  place: StreamPlace,
  tailLines?: number,
): AsyncGenerator<StoredSegment> {
  const { jobId, ...where } = place;
  const { log } = await muster.logs.read(jobId, { ...where, limitBytes: 1 });
  let offset = tailLines === undefined ? 0 : (await tailOf(muster, place, tailLines)).offset;
  while (offset < log.storedLength) {
    const page = await muster.logs.read(jobId, { ...where, offset, limitBytes: PAGE_BYTES });
    for (const segment of page.segments) yield { attemptId: page.attemptId, ...segment };
    if (page.nextOffset <= offset) throw stuck(jobId, offset);
    offset = page.nextOffset;
  }
}

/** Where the last `lines` lines begin. A last line without an end counts as one. */
export async function tailOf(
  muster: Muster,
  place: StreamPlace,
  lines: number,
): Promise<{ attemptId: string; offset: number }> {
  const { jobId, ...where } = place;
  const { attemptId, log } = await muster.logs.read(jobId, { ...where, limitBytes: 1 });
  if (lines === 0 || log.storedLength === 0) return { attemptId, offset: log.storedLength };
  const last = await muster.logs.read(jobId, { ...where, offset: log.storedLength - 1, limitBytes: 1 });
  const endsWithLine = last.segments.at(-1)?.bytes?.at(-1) === NEW_LINE;
  const line = log.lineCount - lines + (endsWithLine ? 0 : 1);
  if (line <= 0) return { attemptId, offset: 0 };
  const { offset } = await muster.logs.read(jobId, { ...where, line, lines: 1, limitBytes: 1 });
  return { attemptId, offset };
}

function stuck(jobId: string, offset: number): Failure {
  return new Failure({
    code: 'unexpectedAnswer',
    exitCode: EXIT.failed,
    what: `The log of ${jobId} does not go on at byte ${offset}.`,
    next: `Try the whole of it: muster logs ${jobId} -o log.txt`,
  });
}
