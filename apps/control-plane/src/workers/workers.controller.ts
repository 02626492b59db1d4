import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ListWorkersQuery, WorkerPageDto, WorkerStatsViewDto, WorkerViewDto } from '@muster/dto';
import type { Page, WorkerStatsView, WorkerView } from '@muster/protocol';
import { Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { WorkerIdPipe } from '../http/validation.pipe.js';
import { WorkerReader } from './worker-reader.js';

@Requires('viewer')
@ApiTags('Workers')
@Controller('api/v1/workers')
export class WorkersController {
  constructor(private readonly workers: WorkerReader) {}

  @Get()
  @Answers({ summary: 'List workers', description: 'Newest first.', type: WorkerPageDto })
  listWorkers(@Query() query: ListWorkersQuery): Promise<Page<WorkerView>> {
    return this.workers.list(query);
  }

  // Before the route of one worker, which would take the word for an id.
  @Get('stats')
  @Answers({ summary: 'Count workers', description: 'By status and by capability.', type: WorkerStatsViewDto })
  getWorkerStats(): Promise<WorkerStatsView> {
    return this.workers.stats();
  }

  @Get(':id')
  @Answers({ summary: 'Look at a worker', description: 'Removed ones stay readable.', type: WorkerViewDto })
  getWorker(@Param('id', WorkerIdPipe) id: string): Promise<WorkerView> {
    return this.workers.get(id);
  }
}
