import { DESIRED_STATES, JOB_ACTIONS, JOB_REASONS, JOB_STATUSES, WORKER_LINKS } from '@muster/protocol';
import type {
  AttemptId, DesiredState, JobAction, JobId, JobReason, JobSpec, JobStatus, JobView, ReasonText, WorkerId, WorkerLink,
} from '@muster/protocol';
import { SubmitJobDto } from './job-spec.dto.js';
import {
  ShownAny, ShownList, ShownMap, ShownMoment, ShownNumber, ShownObject, ShownOneOf, ShownText, ShownTexts, ShownWhole,
} from './shown.js';

export class ReasonTextDto implements ReasonText {
  @ShownText({ description: 'One sentence for people.', example: 'Waiting for its turn.' })
  sentence: string;

  @ShownText('What a person can do about it; empty when nothing is asked of them.')
  action: string;
}

export class ProgressDto {
  @ShownNumber({ description: '0 to 1.', example: 0.42, nullable: true })
  fraction: number | null;

  @ShownText({ example: 'epoch 4 of 10', nullable: true })
  message: string | null;

  @ShownMoment('When it was reported.')
  at: string;
}

/** A job as it stands now. */
export class JobViewDto implements JobView {
  @ShownText({ example: 'job_01JDABCDEF0123456789ABCDEF' })
  id: JobId;

  @ShownText({ example: 'train-iris' })
  name: string;

  @ShownOneOf(JOB_STATUSES, 'Final: completed, failed, cancelled.')
  status: JobStatus;

  @ShownOneOf(DESIRED_STATES, 'What people want of it now.')
  desired: DesiredState;

  @ShownOneOf(JOB_REASONS, 'Why it is where it is. For a queued job computed when it is read.')
  reason: JobReason;

  @ShownObject(() => ReasonTextDto)
  reasonText: ReasonTextDto;

  @ShownText({ description: 'About this instance of the reason: which command, which limit, which worker.', nullable: true })
  reasonDetail: string | null;

  @ShownText({ description: 'Why it failed, in words, as whoever carried it out said it; null unless it failed.', nullable: true })
  error: string | null;

  @ShownText({ description: 'Owner of the key it was submitted with.', example: 'maria' })
  owner: string;

  @ShownObject(() => SubmitJobDto, 'What was asked for, with every default filled in.')
  spec: JobSpec;

  @ShownMap({ example: { exp: '7' } })
  labels: Record<string, string>;

  @ShownWhole('Higher goes first.')
  priority: number;

  @ShownWhole('Attempts made so far.')
  attemptCount: number;

  @ShownText({ nullable: true })
  currentAttemptId: AttemptId | null;

  @ShownText({ description: 'Worker of the current or last attempt.', nullable: true })
  workerId: WorkerId | null;

  @ShownText({ nullable: true })
  workerName: string | null;

  @ShownOneOf(WORKER_LINKS, { description: 'How that worker\'s link stands, while the job is there.', nullable: true })
  workerLink: WorkerLink | null;

  @ShownObject(() => ProgressDto, { nullable: true })
  progress: ProgressDto | null;

  @ShownAny({ description: 'One JSON value the job wrote to `MUSTER_RESULT`; null until it completed.', nullable: true })
  result: unknown;

  @ShownWhole({ nullable: true })
  exitCode: number | null;

  @ShownText({ nullable: true })
  signal: string | null;

  @ShownMoment()
  createdAt: string;

  @ShownMoment({ nullable: true })
  startedAt: string | null;

  @ShownMoment({ nullable: true })
  finishedAt: string | null;

  @ShownMoment({ description: 'When set, it is not offered before this moment.', nullable: true })
  notBeforeAt: string | null;

  @ShownTexts('What would be accepted now.', JOB_ACTIONS)
  allowedActions: JobAction[];
}

export class JobPageDto {
  @ShownList(() => JobViewDto)
  data: JobViewDto[];

  @ShownText({ description: 'Give it as `cursor` for the next page; null on the last.', nullable: true })
  nextCursor: string | null;
}

/** Answer to a submission of several jobs, in the order they were given. */
export class SubmittedJobsDto {
  @ShownList(() => JobViewDto)
  data: JobViewDto[];
}

export class WorkerVerdictDto {
  @ShownText()
  workerId: string;

  @ShownText()
  workerName: string;

  @ShownTexts({ description: 'Why it does not take the job now; empty when it would.', example: ['needs 2 GPUs, has 1'] })
  reasons: string[];
}

/** Why a job is where it is, worker by worker. */
export class ExplainViewDto {
  @ShownText()
  jobId: string;

  @ShownOneOf(JOB_STATUSES)
  status: JobStatus;

  @ShownOneOf(JOB_REASONS)
  reason: JobReason;

  @ShownObject(() => ReasonTextDto)
  reasonText: ReasonTextDto;

  @ShownText({ nullable: true })
  detail: string | null;

  @ShownList(() => WorkerVerdictDto)
  perWorker: WorkerVerdictDto[];
}
