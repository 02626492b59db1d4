import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CordonWorkerDto, DrainWorkerDto, EventPageDto, PageQuery, RemoveWorkerQuery, UndrainWorkerDto, UpdateWorkerDto, WorkerViewDto } from '@muster/dto';
import type { EventView, Page, WorkerId, WorkerView } from '@muster/protocol';
import { By, Requires } from '../../http/access.js';
import { Answers } from '../../http/answers.js';
import { WorkerIdPipe } from '../../http/validation.pipe.js';
import type { Caller } from '../../keys/caller.js';
import { WorkerOrders } from './worker-orders.js';

@Requires('operator')
@ApiTags('Workers')
@Controller('api/v1/workers')
export class WorkerOrdersController {
  constructor(private readonly orders: WorkerOrders) {}

  @Post(':id/cordon')
  @HttpCode(200)
  @Answers({ summary: 'Give a worker no new jobs', description: 'What runs goes on; offers that were not taken up are taken back. Its status is `maintenance` until `undrain`. Asking again is harmless. 409 for one that is drained, and for a removed one.', type: WorkerViewDto })
  cordonWorker(@Param('id', WorkerIdPipe) id: string, @Body() body: CordonWorkerDto, @By() caller: Caller): Promise<WorkerView> {
    return this.orders.cordon(id as WorkerId, body, caller);
  }

  @Post(':id/drain')
  @HttpCode(200)
  @Answers({ summary: 'Empty a worker', description: 'A cordon, and what runs comes to an end as the policy says; `drain` of the worker tells how far it is. Ordered again it goes on with the new policy, deadline and reason. What a worker holds that does not answer ends with its leases, or by `requeue` or `abandon` of the job.', type: WorkerViewDto })
  drainWorker(@Param('id', WorkerIdPipe) id: string, @Body() body: DrainWorkerDto, @By() caller: Caller): Promise<WorkerView> {
    return this.orders.drain(id as WorkerId, body, caller);
  }

  @Post(':id/undrain')
  @HttpCode(200)
  @Answers({ summary: 'Give a worker jobs again', description: 'Takes a cordon or a drain back. Jobs that were told to stop already stop, and go back to the queue.', type: WorkerViewDto })
  undrainWorker(@Param('id', WorkerIdPipe) id: string, @Body() body: UndrainWorkerDto, @By() caller: Caller): Promise<WorkerView> {
    return this.orders.undrain(id as WorkerId, body, caller);
  }

  @Patch(':id')
  @Answers({ summary: 'Rename a worker, relabel it, change its slots', description: 'What is set stands above what its agent says, also after it was started anew; `null` gives it back to the agent.', type: WorkerViewDto })
  updateWorker(@Param('id', WorkerIdPipe) id: string, @Body() body: UpdateWorkerDto, @By() caller: Caller): Promise<WorkerView> {
    return this.orders.update(id as WorkerId, body, caller);
  }

  @Delete(':id')
  @Answers({ summary: 'Remove a worker', description: 'Its agent is told and ends, and cannot be this worker again; what it did stays readable. 409 while it holds jobs, unless forced.', type: WorkerViewDto })
  removeWorker(@Param('id', WorkerIdPipe) id: string, @Query() query: RemoveWorkerQuery, @By() caller: Caller): Promise<WorkerView> {
    return this.orders.remove(id as WorkerId, query, caller);
  }

  @Get(':id/events')
  @Requires('viewer')
  @Answers({ summary: 'What happened to a worker', description: 'Oldest first. What happened to jobs there is told with the jobs.', type: EventPageDto })
  listWorkerEvents(@Param('id', WorkerIdPipe) id: string, @Query() query: PageQuery): Promise<Page<EventView>> {
    return this.orders.events(id as WorkerId, query);
  }
}
