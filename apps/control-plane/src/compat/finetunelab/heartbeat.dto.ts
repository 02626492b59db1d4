import { Nested, OneOf } from '@muster/dto';
import { ForeignCount, ForeignNumber } from '../foreign-fields.js';

const STATUSES = ['online', 'error'] as const;

export class FinetunelabMetricsDto {
  @ForeignNumber({ description: 'Of all cores.' })
  cpu_percent: number;

  @ForeignNumber({ description: 'Now.' })
  memory_used_mb: number;

  @ForeignNumber({ description: 'Of the machine.' })
  memory_total_mb: number;
}

export class FinetunelabHeartbeatDto {
  @OneOf(STATUSES, { description: 'How it stands.' })
  status: (typeof STATUSES)[number];

  @ForeignCount({ description: 'Tasks it has; absent: as many as before.', isOptional: true })
  current_load?: number;

  @Nested(() => FinetunelabMetricsDto, { description: 'Its figures; absent: as before.', isOptional: true })
  metrics?: FinetunelabMetricsDto;
}
