import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ListWorkersQuery, WorkerPageDto, WorkerStatsViewDto, WorkerViewDto } from '@muster/dto';
import type { Page, WorkerStatsView, WorkerView } from '@muster/protocol';
import { By, Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { WorkerIdPipe } from '../http/validation.pipe.js';
import type { Caller } from '../keys/caller.js';
import { WorkerReader } from './worker-reader.js';
import { seenBy } from './worker.view.js';

@Requires('viewer')
@ApiTags('Workers')
@Controller('api/v1/workers')
export class WorkersController {
  constructor(private readonly workers: WorkerReader) {}

  @Get()
  @Answers({ summary: 'List workers', description: 'Newest first. Filters narrow together. One request looks at a bounded number of workers: where few fit, a page may be short or empty and the list still goes on; it ends where `nextCursor` is null.', type: WorkerPageDto })
  async listWorkers(@By() caller: Caller, @Query() query: ListWorkersQuery): Promise<Page<WorkerView>> {
    const { data, nextCursor } = await this.workers.list(query);
    return { data: data.map((view) => seenBy(caller, view)), nextCursor };
  }

  // Before the route of one worker, which would take the word for an id.
  @Get('stats')
  @Answers({ summary: 'Count workers', description: 'By status and by capability.', type: WorkerStatsViewDto })
  getWorkerStats(): Promise<WorkerStatsView> {
    return this.workers.stats();
  }

  @Get(':id')
  @Answers({ summary: 'Look at a worker', description: 'Removed ones stay readable.', type: WorkerViewDto })
  async getWorker(@By() caller: Caller, @Param('id', WorkerIdPipe) id: string): Promise<WorkerView> {
    return seenBy(caller, await this.workers.get(id));
  }
}
