import { Injectable } from '@nestjs/common';
import type { ReadLogQuery } from '@muster/dto';
import type { LogPageView, LogSegmentView } from '@muster/protocol';
import { invalidRequest } from '../http/refusal.js';
import { countLineEnds } from './line-ends.js';
import { LogChunks } from './log-chunks.js';
import type { LogPiece } from './log-chunks.js';
import { LogTargets } from './log-targets.js';
import type { LogTarget } from './log-targets.js';

const BYTES_DEFAULT = 262_144;

export interface ReadPage {
  readonly target: LogTarget;
  readonly offset: number;
  readonly nextOffset: number;
  readonly firstLine: number;
  readonly pieces: readonly LogPiece[];
}

/** Pieces of a log by byte or by line, forwards and backwards. A position behind the end means the end. */
@Injectable()
export class LogReader {
  constructor(
    private readonly targets: LogTargets,
    private readonly chunks: LogChunks,
  ) {}

  async read(jobId: string, query: ReadLogQuery): Promise<ReadPage> {
    refuseTwoPositions(query);
    const target = await this.targets.find(jobId, query.attempt, query.stream ?? 'output');
    const { from, to } = await this.rangeOf(target, query);
    const pieces: LogPiece[] = [];
    for await (const piece of this.chunks.read(target, from, to)) pieces.push(piece);
    const last = pieces.at(-1);
    const firstLine = pieces[0]?.firstLine ?? (await this.linesBefore(target, from));
    return { target, offset: from, nextOffset: last === undefined ? from : last.offset + last.length, firstLine, pieces };
  }

  private async rangeOf(target: LogTarget, query: ReadLogQuery): Promise<{ from: number; to: number }> {
    const end = target.log.storedLength;
    const limitBytes = query.limitBytes ?? BYTES_DEFAULT;
    const { before, beforeLine, lines } = query;
    if (before === undefined && beforeLine === undefined) {
      const from = query.line === undefined ? Math.min(query.offset ?? 0, end) : await this.startOfLine(target, query.line);
      const to = lines === undefined ? end : await this.startOfLine(target, (await this.linesBefore(target, from)) + lines);
      return { from, to: Math.min(to, from + limitBytes, end) };
    }
    const lastLine = Math.min(beforeLine ?? Infinity, await this.lineTotal(target));
    const to = before === undefined ? await this.startOfLine(target, lastLine) : Math.min(before, end);
    const line = before === undefined ? lastLine : await this.linesUpTo(target, to);
    const from = lines === undefined ? 0 : await this.startOfLine(target, Math.max(0, line - lines));
    return { from: Math.max(from, to - limitBytes, 0), to };
  }

  private async startOfLine(target: LogTarget, line: number): Promise<number> {
    return (await this.chunks.offsetOfLine(target, line)) ?? target.log.storedLength;
  }

  /** Lines there are, one without its end included. */
  private async lineTotal(target: LogTarget): Promise<number> {
    return this.linesUpTo(target, target.log.storedLength);
  }

  /** Lines that begin before `offset`. */
  private async linesUpTo(target: LogTarget, offset: number): Promise<number> {
    if (offset === 0) return 0;
    const ends = await this.linesBefore(target, offset);
    return (await this.startOfLine(target, ends)) < offset ? ends + 1 : ends;
  }

  /** Line ends before `offset`. */
  private async linesBefore(target: LogTarget, offset: number): Promise<number> {
    if (offset === 0) return 0;
    for await (const piece of this.chunks.read(target, offset - 1, offset)) {
      return piece.firstLine + countLineEnds(piece.bytes ?? Buffer.alloc(0));
    }
    return target.log.lineCount;
  }
}

function refuseTwoPositions(query: ReadLogQuery): void {
  const given = (['offset', 'before', 'line', 'beforeLine'] as const).filter((name) => query[name] !== undefined);
  if (given.length < 2) return;
  throw invalidRequest([{ pointer: `?${given[1]}`, detail: `Expected one of offset, before, line and beforeLine, got ${given.join(' and ')}.` }]);
}

export function toPageView(page: ReadPage): LogPageView {
  const { target, offset, nextOffset, firstLine, pieces } = page;
  const { attemptId, attemptNumber, stream, log } = target;
  return { attemptId, attemptNumber, stream, offset, nextOffset, firstLine, segments: pieces.map(toSegment), log };
}

function toSegment(piece: LogPiece): LogSegmentView {
  const { offset, length, bytes } = piece;
  const readAt = piece.readAt.toISOString();
  return bytes === null ? { type: 'gap', offset, length, readAt } : { type: 'bytes', offset, length, base64: bytes.toString('base64'), readAt };
}

/** As people read it: the bytes as printed, and a line of ours where some were not kept. */
export function toPageText(page: ReadPage): Buffer {
  return Buffer.concat(page.pieces.map((piece) => piece.bytes ?? Buffer.from(gapLine(piece.length))));
}

export function gapLine(length: number): string {
  return `\n[muster: ${length} bytes were not kept]\n`;
}
