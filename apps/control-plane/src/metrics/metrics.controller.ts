import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MetricPageDto, PageQuery } from '@muster/dto';
import type { MetricPointView, Page } from '@muster/protocol';
import { Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { JobIdPipe } from '../http/validation.pipe.js';
import { MetricReader } from './metric-reader.js';

@Requires('viewer')
@ApiTags('Metrics')
@Controller('api/v1/jobs')
export class MetricsController {
  constructor(private readonly reader: MetricReader) {}

  @Get(':id/metrics')
  @Answers({ summary: 'What a job measured', description: 'In the order it was printed, of all attempts.', type: MetricPageDto })
  listJobMetrics(@Param('id', JobIdPipe) id: string, @Query() query: PageQuery): Promise<Page<MetricPointView>> {
    return this.reader.read(id, query);
  }
}
