import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { DownloadLogQuery, ReadLogQuery } from '@muster/dto';
import type { Response } from 'express';
import type { Caller } from '../keys/caller.js';
import { LogDownloads } from './log-download.js';
import { LogFollow } from './log-follow.js';
import { LogReader, toPageText, toPageView } from './log-reader.js';
import type { ReadPage } from './log-reader.js';
import { LogSearch } from './log-search.js';

export interface LogRequest {
  readonly jobId: string;
  readonly query: ReadLogQuery;
  readonly accept: string;
  readonly lastEventId: string | undefined;
  readonly caller: Caller;
}

/** One address, four kinds of answer: events, matches, text, JSON. */
@Injectable()
export class LogAnswers {
  constructor(
    private readonly reader: LogReader,
    private readonly searcher: LogSearch,
    private readonly downloads: LogDownloads,
    private readonly follower: LogFollow,
  ) {}

  async answer(request: LogRequest, response: Response): Promise<void> {
    const { jobId, query, accept, lastEventId, caller } = request;
    if (query.follow === true) return this.follower.follow(jobId, query, lastEventId, caller, response);
    if (query.q !== undefined) {
      response.json(await this.searcher.search(jobId, query.q, query));
      return;
    }
    const page = await this.reader.read(jobId, query);
    if (accept.includes('text/plain')) sendText(page, response);
    else response.json(toPageView(page));
  }

  async download(jobId: string, query: DownloadLogQuery, response: Response): Promise<void> {
    const { headers, body } = await this.downloads.open(jobId, query);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    // Breaking off is all that can be done once bytes were sent, and what pipeline does.
    await pipeline(body, response).catch((error: unknown) => {
      if (!response.destroyed) throw error;
    });
  }
}

function sendText(page: ReadPage, response: Response): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('X-Muster-Attempt', page.target.attemptId);
  response.setHeader('X-Muster-Log-Offset', String(page.offset));
  response.setHeader('X-Muster-Log-Next-Offset', String(page.nextOffset));
  response.setHeader('X-Muster-Log-State', page.target.log.state);
  response.send(toPageText(page));
}
