import { Body, Get, Patch, Post, Put, HttpCode, Query, UseGuards } from '@nestjs/common';
import { ByJob, Public } from '../../../http/access.js';
import { BodyLimit, BodyShape } from '../../../http/body.interceptor.js';
import type { JobTerm } from '../../../keys/job-tokens.js';
import { readForeign } from '../../foreign-body.js';
import { ForeignController } from '../../foreign-controller.js';
import { ForeignRefusal } from '../../foreign-refusal.js';
import { FinetunelabErrors } from '../finetunelab-errors.js';
import { readLinesWanted, TrainingLogsDto, TrainingStatusDto } from './training-bodies.js';
import { TrainingJobs } from './training-jobs.js';
import { TrainingLogs } from './training-logs.js';
import { TrainingMetrics } from './training-metrics.js';
import { readPoints } from './training-point.js';
import { TrainingTokenGuard } from './training-token.guard.js';

const DONE = { success: true } as const;
/** 100 lines of 20 kB, every character escaped. */
const LOGS_BYTES_MAX = 16 * 1024 * 1024;
const METRICS_BYTES_MAX = 4 * 1024 * 1024;
const METRICS_NAMES_MAX = 200_000;

/**
 * What a training job of FineTune Lab says of itself, word for word (docs/compat.md). Logs and metrics are taken after its end, too:
 * the worker sends its last ones when it has reported that.
 */
@UseGuards(TrainingTokenGuard)
@Public('the token of the job as bearer')
@ForeignController('finetunelab/api/training/local/:jobId', FinetunelabErrors)
export class TrainingController {
  constructor(
    private readonly jobs: TrainingJobs,
    private readonly logs: TrainingLogs,
    private readonly metrics: TrainingMetrics,
  ) {}

  @Patch('status')
  async reportStatus(@ByJob() term: JobTerm, @Body() body: unknown): Promise<object> {
    const { status, error } = readForeign(TrainingStatusDto, body, 400);
    await this.jobs.report(term, status, error);
    return DONE;
  }

  @Get('status')
  async getStatus(@ByJob() term: JobTerm): Promise<object> {
    return { job_id: term.jobId, ...(await this.jobs.touch(term)) };
  }

  @Post('logs')
  @HttpCode(200)
  @BodyLimit(LOGS_BYTES_MAX)
  @BodyShape({ takesAnyText: true })
  async appendLogs(@ByJob() term: JobTerm, @Body() body: unknown): Promise<object> {
    const { logs } = readForeign(TrainingLogsDto, body, 400);
    await this.jobs.touchToStore(term);
    await this.logs.append(term, logs);
    return DONE;
  }

  @Get('logs')
  async readLogs(@ByJob() term: JobTerm, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    const wanted = readLinesWanted(query);
    if (wanted === undefined) throw new ForeignRefusal(400, 'limit: Expected a whole number from 1 to 1000, and for offset one from 0.');
    await this.jobs.touch(term);
    const { lines, total } = await this.logs.read(term, wanted);
    return { logs: lines, total_lines: total, ...wanted };
  }

  @Put('metrics')
  @BodyLimit(METRICS_BYTES_MAX)
  @BodyShape({ keysMax: METRICS_NAMES_MAX })
  async putMetrics(@ByJob() term: JobTerm, @Body() body: unknown): Promise<object> {
    const points = readPoints(body);
    await this.jobs.touchToStore(term);
    await this.metrics.put(term, points);
    return DONE;
  }

  @Get('metrics')
  async readMetrics(@ByJob() term: JobTerm): Promise<object> {
    await this.jobs.touch(term);
    return { job_id: term.jobId, metrics: await this.metrics.read(term) };
  }
}
