import type { AttemptId, MetricPointView } from '@muster/protocol';
import { ShownList, ShownMap, ShownMoment, ShownText, ShownWhole } from './shown.js';

export class MetricPointDto implements MetricPointView {
  @ShownText({ description: 'The attempt whose process measured it.' })
  attemptId: AttemptId;

  @ShownWhole({ description: 'As the job gave it; null when it gave none.', nullable: true })
  step: number | null;

  @ShownMoment({ description: 'When the agent read it.' })
  at: string;

  @ShownMap({ description: 'Name to number.', example: { loss: 0.31 } }, 'number')
  values: Record<string, number>;
}

export class MetricPageDto {
  @ShownList(() => MetricPointDto)
  data: MetricPointDto[];

  @ShownText({ nullable: true })
  nextCursor: string | null;
}
