import { JOB_STATUSES } from '@muster/protocol';
import type { JobStatus, StatsView, ThroughputView, WorkerStatsView } from '@muster/protocol';
import { ShownMap, ShownMoment, ShownObject, ShownWhole } from './shown.js';

export class ThroughputDto implements ThroughputView {
  @ShownMoment('The window begins here and ends at `at`.')
  sinceAt: string;

  @ShownWhole()
  submitted: number;

  @ShownWhole('Attempts whose worker was told to start.')
  started: number;

  @ShownWhole()
  completed: number;

  @ShownWhole()
  failed: number;

  @ShownWhole()
  cancelled: number;
}

/** All jobs there are, counted as of one moment. */
export class StatsViewDto implements StatsView {
  @ShownMoment('The moment, by the database\'s clock.')
  at: string;

  @ShownMap(`How many jobs have each status: ${JOB_STATUSES.join(', ')}. Removed ones are in none.`, 'number')
  jobs: Record<JobStatus, number>;

  @ShownMoment({ description: 'When the job submitted first of those in line was submitted.', nullable: true })
  oldestQueuedAt: string | null;

  @ShownObject(() => ThroughputDto, 'What moved in the last five minutes: whole minutes and the one that runs.')
  lastFiveMinutes: ThroughputDto;

  @ShownObject(() => ThroughputDto, 'The same of the last hour.')
  lastHour: ThroughputDto;
}

/** The workers that were not removed: each has one status and one capability. */
export class WorkerStatsViewDto implements WorkerStatsView {
  @ShownWhole()
  total: number;

  @ShownWhole('Reachable, with a free slot.')
  online: number;

  @ShownWhole()
  offline: number;

  @ShownWhole('No slot is free.')
  busy: number;

  @ShownWhole('Their agents say that they cannot take work.')
  error: number;

  @ShownWhole('People keep them from work.')
  maintenance: number;

  @ShownWhole()
  cpuWorkers: number;

  @ShownWhole()
  gpuWorkers: number;

  @ShownWhole()
  hybridWorkers: number;

  @ShownWhole('Would be offered a job now: connected, online, neither paused nor draining, with a free slot.')
  available: number;
}
