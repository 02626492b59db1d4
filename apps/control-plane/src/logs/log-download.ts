import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { DownloadLogQuery } from '@muster/dto';
import { Database } from '../database/database.js';
import { LogChunks } from './log-chunks.js';
import { LOG_GAP_BYTES } from './log-reader.sql.js';
import { LogTargets } from './log-targets.js';

export interface LogDownload {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/**
 * The raw bytes of one stream as far as they are stored when it is asked for. Gaps are left out, as they are from the
 * digest the worker sends; the headers say how many bytes they stand for and whether the log is complete. A download that
 * breaks off is shorter than its Content-Length.
 */
@Injectable()
export class LogDownloads {
  constructor(
    private readonly targets: LogTargets,
    private readonly chunks: LogChunks,
    private readonly database: Database,
  ) {}

  async open(jobId: string, query: DownloadLogQuery): Promise<LogDownload> {
    const target = await this.targets.find(jobId, query.attempt, query.stream ?? 'output');
    const { storedLength, state, sha256 } = target.log;
    const [row] = await this.database.query<{ gap_bytes: number }>(LOG_GAP_BYTES, [target.logId, target.stream, storedLength]);
    const gapBytes = Number(row?.gap_bytes ?? 0);
    const name = `${jobId}.${target.attemptNumber}.${target.stream}.log`;
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(storedLength - gapBytes),
      'Content-Disposition': `attachment; filename="${name}"`,
      'X-Muster-Attempt': target.attemptId,
      'X-Muster-Log-State': state,
      'X-Muster-Log-Length': String(storedLength),
      'X-Muster-Log-Gap-Bytes': String(gapBytes),
      ...(sha256 === null ? {} : { 'X-Muster-Log-Sha256': sha256 }),
    };
    return { headers, body: Readable.from(this.bytes(target, storedLength), { objectMode: true, highWaterMark: 1 }) };
  }

  private async *bytes(target: Parameters<LogChunks['read']>[0], to: number): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of this.chunks.read(target, 0, to)) if (piece.bytes !== null) yield piece.bytes;
  }
}
