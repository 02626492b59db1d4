import { Field, Nested, OneOf } from '@muster/dto';
import { WORKER_STATUSES, type WorkerStatus } from '@muster/protocol';
import { ForeignCount, ForeignNumber, ForeignText } from '../foreign-fields.js';

/** What absent figures are is for the other system to say: it says 0. */
export class MoragMetricsDto {
  @ForeignNumber({ description: 'Of all cores.', isOptional: true })
  cpu_usage_percent = 0;

  @ForeignNumber({ description: 'Of its memory.', isOptional: true })
  memory_usage_percent = 0;

  @ForeignNumber({ description: 'Of its GPUs.', isOptional: true })
  gpu_usage_percent = 0;

  @ForeignCount({ description: 'Tasks it has now.', isOptional: true })
  active_tasks = 0;

  @ForeignCount({ description: 'Tasks that ended well.', isOptional: true })
  completed_tasks = 0;

  @ForeignCount({ description: 'Tasks that failed.', isOptional: true })
  failed_tasks = 0;

  @ForeignNumber({ description: 'Mean of all its tasks.', isOptional: true })
  avg_task_duration_seconds = 0;
}

/** Date and time as Python writes them; without an offset it is UTC. */
const MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?$/;

export class MoragHeartbeatDto {
  @ForeignText({ description: 'The same id as in the path.' })
  worker_id: string;

  @OneOf(WORKER_STATUSES, { description: 'How it stands.' })
  status: WorkerStatus;

  @Nested(() => MoragMetricsDto, { description: 'Its figures.' })
  metrics: MoragMetricsDto;

  @Field(
    { description: 'By the worker\'s clock, which nothing here goes by.', isOptional: true },
    { type: 'string' },
    'a date and time as in 2027-01-01T00:00:00',
    (value) => typeof value === 'string' && MOMENT.test(value) && !Number.isNaN(Date.parse(value.replace(' ', 'T'))),
  )
  timestamp?: string;
}
