import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  AppendLogDto, AppendMetricsDto, CompleteAttemptDto, CompletedViewDto, NothingDto, RenewAttemptDto, RenewedViewDto, ReportProgressDto,
  StartAttemptDto, StartedViewDto, StoredLengthDto,
} from '@muster/dto';
import { LIMITS } from '@muster/protocol';
import type { EndAck, RenewedView, StartAck } from '@muster/protocol';
import { Requires, SpokenBy, type Speaker } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { BodyLimit } from '../http/body.interceptor.js';
import { HttpAttempts } from './http-attempts.js';

/** Beside a result or a chunk there is little in a body; as JSON text a chunk may be six times its bytes. */
const LOG_BODY_BYTES_MAX = 6 * LIMITS.logChunkBytesMax + 1_024;
const END_BODY_BYTES_MAX = LIMITS.resultHttpBytesMax + 128 * 1_024;
const METRICS_BODY_BYTES_MAX = 1_024 * 1_024;

/** What is said of one attempt by whoever carries it out: its worker by its key, or the job itself by its token. */
@Requires('workerOrJob')
@ApiTags('Workers over HTTP')
@Controller('api/v1/attempts/:id')
export class AttemptsHttpController {
  constructor(private readonly attempts: HttpAttempts) {}

  @Post('start')
  @HttpCode(200)
  @Answers({ summary: 'Ask to begin a claimed attempt', description: '`go`: begin, if this answer took less than 0.7 of `offerTtlMs`. `no`: forget it; with `cancelled` first complete it as `cancelled`: nobody else can end it. Asked again it answers the same.', type: StartedViewDto })
  startAttempt(@Param('id') id: string, @Body() body: StartAttemptDto, @SpokenBy() speaker: Speaker): Promise<StartAck> {
    return this.attempts.start(speaker, id, body.session);
  }

  @Post('renew')
  @HttpCode(200)
  @Answers({ summary: 'Renew the lease of an attempt', description: 'What a heartbeat does for all of them. A lease that is over is never renewed.', type: RenewedViewDto })
  renewAttempt(@Param('id') id: string, @Body() body: RenewAttemptDto, @SpokenBy() speaker: Speaker): Promise<RenewedView> {
    return this.attempts.renew(speaker, id, body);
  }

  @Post('logs')
  @HttpCode(200)
  @BodyLimit(LOG_BODY_BYTES_MAX)
  @Answers({ summary: 'Append to a log', description: 'Stored if and only if `offset` is the stored length, which is the answer either way. Also after the end.', type: StoredLengthDto })
  appendLog(@Param('id') id: string, @Body() body: AppendLogDto, @SpokenBy() speaker: Speaker): Promise<{ storedLength: number }> {
    return this.attempts.append(speaker, id, body);
  }

  @Post('metrics')
  @HttpCode(200)
  @BodyLimit(METRICS_BODY_BYTES_MAX)
  @Answers({ summary: 'Append to the metrics', description: 'By the rule of logs; the offset counts whatever the sender counts.', type: StoredLengthDto })
  appendMetrics(@Param('id') id: string, @Body() body: AppendMetricsDto, @SpokenBy() speaker: Speaker): Promise<{ storedLength: number }> {
    return this.attempts.measure(speaker, id, body);
  }

  @Post('progress')
  @HttpCode(200)
  @Answers({ summary: 'Say how far it is', description: 'The latest wins; one may be lost.', type: NothingDto })
  reportProgress(@Param('id') id: string, @Body() body: ReportProgressDto, @SpokenBy() speaker: Speaker): Promise<Record<string, never>> {
    return this.attempts.progress(speaker, id, body);
  }

  @Post('complete')
  @HttpCode(200)
  @BodyLimit(END_BODY_BYTES_MAX)
  @Answers({ summary: 'Say how an attempt ended', description: 'At most one end of a job is ever accepted; the same end sent again is answered `repeated`, and one of an attempt that is not the job\'s any more `superseded`, which changes nothing.', type: CompletedViewDto })
  completeAttempt(@Param('id') id: string, @Body() body: CompleteAttemptDto, @SpokenBy() speaker: Speaker): Promise<EndAck> {
    return this.attempts.complete(speaker, id, body);
  }
}
