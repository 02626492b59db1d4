import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiHeader, ApiTags, getSchemaPath } from '@nestjs/swagger';
import {
  AttemptListDto, CancelJobDto, EventPageDto, ExplainViewDto, JobPageDto, JobViewDto, ListJobsQuery, PageQuery, PauseJobDto, ResumeJobDto,
  SubmitJobDto, SubmitJobsDto, SubmittedJobsDto,
} from '@muster/dto';
import { LIMITS } from '@muster/protocol';
import type { AttemptView, EventView, ExplainView, JobView, Page } from '@muster/protocol';
import type { Response } from 'express';
import { By, Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { BodyLimit } from '../http/body.interceptor.js';
import { JobIdPipe } from '../http/validation.pipe.js';
import type { Caller } from '../keys/caller.js';
import { JobActions } from './job-actions.js';
import { JobReader } from './job-reader.js';
import { JobSubmission } from './job-submission.js';
import { SubmitPipe } from './submit.pipe.js';
import type { Submission } from './submit.pipe.js';
import { SUBMIT_EXAMPLES, sendSubmitted } from './submit.answer.js';

@Requires('viewer')
@ApiTags('Jobs')
@Controller('api/v1/jobs')
export class JobsController {
  constructor(
    private readonly reader: JobReader,
    private readonly submission: JobSubmission,
    private readonly actions: JobActions,
  ) {}

  @Post()
  @Requires('submitter')
  @BodyLimit(LIMITS.jobSubmitBytesMax)
  @HttpCode(201)
  @ApiExtraModels(SubmitJobDto, SubmitJobsDto)
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'Kept for 24 hours: the same request sent again is answered with the jobs it made, marked `Idempotency-Replayed: true`.' })
  @ApiBody({ schema: { oneOf: [{ $ref: getSchemaPath(SubmitJobDto) }, { $ref: getSchemaPath(SubmitJobsDto) }] }, examples: SUBMIT_EXAMPLES })
  @Answers({ summary: 'Submit a job, or up to 100', description: 'All are stored or none. A list sent as `jobs` is answered as `data`, in its order.', status: 201, type: JobViewDto, orType: SubmittedJobsDto })
  async submitJob(
    @Body(SubmitPipe) submission: Submission,
    @By() caller: Caller,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView | { data: readonly JobView[] } | undefined> {
    return sendSubmitted(response, await this.submission.submit(submission, caller, idempotencyKey));
  }

  @Get()
  @Answers({ summary: 'List jobs', description: 'Newest first. Filters narrow together. One request looks at a bounded number of jobs: where few fit, a page may be short or empty and the list still goes on; it ends where `nextCursor` is null.', type: JobPageDto })
  listJobs(@Query() query: ListJobsQuery): Promise<Page<JobView>> {
    return this.reader.list(query);
  }

  @Get(':id')
  @Answers({ summary: 'Look at a job', type: JobViewDto })
  getJob(@Param('id', JobIdPipe) id: string): Promise<JobView> {
    return this.reader.get(id);
  }

  @Post(':id/cancel')
  @Requires('submitter')
  @HttpCode(202)
  @Answers({ summary: 'Cancel a job', description: 'Its processes get the stop signal, the grace, then KILL; with `force` KILL at once. Asking again is harmless.', status: 202, type: JobViewDto })
  cancelJob(@Param('id', JobIdPipe) id: string, @Body() body: CancelJobDto, @By() caller: Caller): Promise<JobView> {
    return this.actions.cancel(id, body, caller);
  }

  @Post(':id/pause')
  @Requires('submitter')
  @HttpCode(200)
  @Answers({ summary: 'Pause a job', description: 'Its processes are frozen where they are: slot, memory and GPUs stay held, its run limit does not count. `status` is `paused` when they all stand still; a job without a process is held out of line at once. Asking again is harmless. 409 for a final job and one being cancelled.', type: JobViewDto })
  pauseJob(@Param('id', JobIdPipe) id: string, @Body() body: PauseJobDto, @By() caller: Caller): Promise<JobView> {
    return this.actions.pause(id, body, caller);
  }

  @Post(':id/resume')
  @Requires('submitter')
  @HttpCode(200)
  @Answers({ summary: 'Let a paused job go on', description: 'Its processes go on from where they were frozen; a job without a process goes back in line. Of a job that is not paused it changes nothing. 409 for a final job and one being cancelled.', type: JobViewDto })
  resumeJob(@Param('id', JobIdPipe) id: string, @Body() body: ResumeJobDto, @By() caller: Caller): Promise<JobView> {
    return this.actions.resume(id, body, caller);
  }

  @Post(':id/requeue')
  @Requires('submitter')
  @HttpCode(200)
  @Answers({ summary: 'Take a job back from a worker that does not answer', description: 'It waits for another worker; what still runs on the first is stopped when that is back. 409 while its worker answers, and for an exclusive job.', type: JobViewDto })
  requeueJob(@Param('id', JobIdPipe) id: string, @By() caller: Caller): Promise<JobView> {
    return this.actions.requeue(id, caller);
  }

  @Post(':id/abandon')
  @Requires('submitter')
  @HttpCode(200)
  @Answers({ summary: 'Give up a job whose worker does not answer', description: 'It becomes `failed`, or `cancelled` when that was asked for, although its process may still be running. 409 while its worker answers.', type: JobViewDto })
  abandonJob(@Param('id', JobIdPipe) id: string, @By() caller: Caller): Promise<JobView> {
    return this.actions.abandon(id, caller);
  }

  @Get(':id/attempts')
  @Answers({ summary: 'Every try made so far', description: 'Oldest first.', type: AttemptListDto })
  async listAttempts(@Param('id', JobIdPipe) id: string): Promise<{ data: AttemptView[] }> {
    return { data: await this.reader.attempts(id) };
  }

  @Get(':id/events')
  @Answers({ summary: 'What happened to a job', description: 'Oldest first.', type: EventPageDto })
  listJobEvents(@Param('id', JobIdPipe) id: string, @Query() query: PageQuery): Promise<Page<EventView>> {
    return this.reader.events(id, query);
  }

  @Get(':id/explain')
  @Answers({ summary: 'Why a job is where it is', description: 'While it waits: worker by worker.', type: ExplainViewDto })
  explainJob(@Param('id', JobIdPipe) id: string): Promise<ExplainView> {
    return this.reader.explain(id);
  }
}
