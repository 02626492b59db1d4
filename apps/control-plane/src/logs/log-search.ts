import { Injectable } from '@nestjs/common';
import type { ReadLogQuery } from '@muster/dto';
import type { LogMatchesView } from '@muster/protocol';
import { countLineEnds } from './line-ends.js';
import { LogChunks } from './log-chunks.js';
import type { LogPiece } from './log-chunks.js';
import { LogTargets } from './log-targets.js';

const MATCHES_MAX = 100;
/** Bytes searched for one answer; the next goes on where it stopped. */
const SEARCHED_MAX = 32 * 1_048_576;
/** Bytes of the line shown on either side of the match's beginning. */
const SHOWN_BYTES = 200;
const LINE_END = 0x0a;

type Match = LogMatchesView['data'][number];

/** Searches a whole stream for a text, as bytes: every match is exact, also across chunks. */
@Injectable()
export class LogSearch {
  constructor(
    private readonly targets: LogTargets,
    private readonly chunks: LogChunks,
  ) {}

  async search(jobId: string, text: string, query: ReadLogQuery): Promise<LogMatchesView> {
    const target = await this.targets.find(jobId, query.attempt, query.stream ?? 'output');
    const { attemptId, stream, log } = target;
    const from = Math.min(query.offset ?? 0, log.storedLength);
    const to = Math.min(log.storedLength, from + SEARCHED_MAX);
    const window = new SearchWindow(Buffer.from(text));
    for await (const piece of this.chunks.read(target, from, to)) {
      const next = window.search(piece);
      if (next !== null) return { attemptId, stream, data: window.matches, nextOffset: next, isComplete: false };
    }
    const isComplete = to === log.storedLength;
    const nextOffset = isComplete ? to : Math.max(from, to - window.overlap);
    return { attemptId, stream, data: window.matches, nextOffset, isComplete };
  }
}

/** Slides over the pieces, keeping enough of what came before for a match, and for its line, to reach back into it. */
class SearchWindow {
  readonly matches: Match[] = [];
  /** Bytes in which a match may begin whose end is in the next piece. */
  readonly overlap: number;
  private carried: Buffer = Buffer.alloc(0);

  constructor(private readonly needle: Buffer) {
    this.overlap = needle.length - 1;
  }

  /** Null to go on; otherwise the offset behind the last match that fits into one answer. */
  search(piece: LogPiece): number | null {
    if (piece.bytes === null) {
      this.carried = Buffer.alloc(0);
      return null;
    }
    const startsAt = piece.offset - this.carried.length;
    const line = piece.firstLine - countLineEnds(this.carried);
    const bytes = Buffer.concat([this.carried, piece.bytes]);
    let at = bytes.indexOf(this.needle, Math.max(0, this.carried.length - this.overlap));
    for (; at !== -1; at = bytes.indexOf(this.needle, at + this.needle.length)) {
      this.matches.push({ offset: startsAt + at, line: line + countLineEnds(bytes.subarray(0, at)), text: lineAround(bytes, at) });
      if (this.matches.length === MATCHES_MAX) return startsAt + at + this.needle.length;
    }
    this.carry(bytes);
    return null;
  }

  private carry(bytes: Buffer): void {
    this.carried = bytes.subarray(Math.max(0, bytes.length - Math.max(SHOWN_BYTES, this.overlap)));
  }
}

function lineAround(bytes: Buffer, at: number): string {
  const lineStart = at === 0 ? 0 : bytes.lastIndexOf(LINE_END, at - 1) + 1;
  const start = Math.max(lineStart, at - SHOWN_BYTES, 0);
  const lineEnd = bytes.indexOf(LINE_END, at);
  return bytes.subarray(start, Math.min(lineEnd === -1 ? bytes.length : lineEnd, at + SHOWN_BYTES)).toString();
}
