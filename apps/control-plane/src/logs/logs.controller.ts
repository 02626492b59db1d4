import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { DownloadLogQuery, LogMatchesDto, LogPageDto, ReadLogQuery } from '@muster/dto';
import type { Response } from 'express';
import { By, Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { JobIdPipe } from '../http/validation.pipe.js';
import type { Caller } from '../keys/caller.js';
import { LogAnswers } from './log-answers.js';

const ABOUT_READING = [
  'As JSON: segments with base64 bytes and gaps. With `Accept: text/plain`: the bytes as printed, a line in place of each gap.',
  'With `follow=true`: server-sent events, history first, then live, until the job is final and its log complete; a reader',
  'who comes back with `Last-Event-ID` gets every byte once. With `q`: the places where that text stands.',
  'A large `beforeLine` with `lines` reads the tail.',
].join(' ');

@Requires('viewer')
@ApiTags('Logs')
@Controller('api/v1/jobs/:id/logs')
export class LogsController {
  constructor(private readonly answers: LogAnswers) {}

  @Get()
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'With `follow`: the id of the last event that arrived.' })
  @Answers({ summary: 'Read, search or follow a log', description: ABOUT_READING, type: LogPageDto, orType: LogMatchesDto, alsoAs: ['text/plain', 'text/event-stream'] })
  readLog(
    @Param('id', JobIdPipe) id: string,
    @Query() query: ReadLogQuery,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastEventId: string | undefined,
    @By() caller: Caller,
    @Res() response: Response,
  ): Promise<void> {
    return this.answers.answer({ jobId: id, query, accept: accept ?? '', lastEventId, caller }, response);
  }

  @Get('download')
  @Answers({
    summary: 'Download a log',
    description: 'The raw bytes as far as they are stored; gaps left out. The headers `X-Muster-Log-State`, `-Length`, `-Gap-Bytes` and `-Sha256` say how much of the log it is.',
    alsoAs: ['application/octet-stream'],
  })
  downloadLog(@Param('id', JobIdPipe) id: string, @Query() query: DownloadLogQuery, @Res() response: Response): Promise<void> {
    return this.answers.download(id, query, response);
  }
}
