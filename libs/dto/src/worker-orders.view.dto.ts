import { CAPABILITIES, DRAIN_POLICIES } from '@muster/protocol';
import type { Capability, DrainPolicy, DrainView, MaintenanceView, WorkerSaid } from '@muster/protocol';
import { ShownFlag, ShownMap, ShownMoment, ShownOneOf, ShownText, ShownTexts, ShownWhole } from './shown.js';

export class MaintenanceViewDto implements MaintenanceView {
  @ShownText({ nullable: true })
  reason: string | null;

  @ShownText('Owner of the key that ordered it.')
  by: string;

  @ShownMoment()
  since: string;
}

export class DrainViewDto implements DrainView {
  @ShownOneOf(DRAIN_POLICIES)
  policy: DrainPolicy;

  @ShownText({ nullable: true })
  reason: string | null;

  @ShownText('Owner of the key that ordered it.')
  by: string;

  @ShownMoment()
  startedAt: string;

  @ShownMoment({ nullable: true })
  deadlineAt: string | null;

  @ShownFlag('The deadline has passed, and what the policy says of that was begun.')
  isOverdue: boolean;

  @ShownWhole('Jobs it held when it was ordered.')
  jobsAtStart: number;

  @ShownWhole('Jobs it holds now.')
  jobsLeft: number;

  @ShownOneOf(['draining', 'drained'], '`drained`: it holds nothing and gets nothing.')
  state: 'draining' | 'drained';

  @ShownMoment({ description: 'When it was found empty.', nullable: true })
  drainedAt: string | null;
}

/** What its agent said of itself last, whatever people set. */
export class WorkerSaidDto implements WorkerSaid {
  @ShownText()
  name: string;

  @ShownMap()
  labels: Record<string, string>;

  @ShownTexts()
  contentTypes: string[];

  @ShownOneOf(CAPABILITIES)
  capability: Capability;

  @ShownWhole()
  slots: number;
}
