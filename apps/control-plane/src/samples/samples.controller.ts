import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { JobSamplesQuery, SamplesViewDto, WorkerSamplesQuery } from '@muster/dto';
import type { SamplesView } from '@muster/protocol';
import { Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { JobIdPipe, WorkerIdPipe } from '../http/validation.pipe.js';
import { SampleReader } from './sample-reader.js';

@Requires('viewer')
@ApiTags('Samples')
@Controller('api/v1')
export class SamplesController {
  constructor(private readonly reader: SampleReader) {}

  @Get('workers/:id/samples')
  @Answers({
    summary: 'How a worker went over time',
    description: 'Load, memory, disk, network and latency of the machine and each of its GPUs, or what one attempt used there: average, lowest and highest of each bucket. Unknown is null, never 0. Samples are kept for a day as they came, for a week by the minute, and by the hour for as long as `GET /api/v1/meta` says.',
    type: SamplesViewDto,
  })
  getWorkerSamples(@Param('id', WorkerIdPipe) id: string, @Query() query: WorkerSamplesQuery): Promise<SamplesView> {
    return this.reader.ofWorker(id, query);
  }

  @Get('jobs/:id/samples')
  @Answers({
    summary: 'What a job used over time',
    description: 'Processor time, memory and GPU memory of one attempt, by default the newest, for as long as it lived.',
    type: SamplesViewDto,
  })
  getJobSamples(@Param('id', JobIdPipe) id: string, @Query() query: JobSamplesQuery): Promise<SamplesView> {
    return this.reader.ofJob(id, query);
  }
}
