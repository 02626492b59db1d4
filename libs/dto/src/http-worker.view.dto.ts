import type {
  AttemptId, ClaimedAttemptView, ClaimView, HeartbeatView, JobId, JobSpec, PendingCommand, RegisteredWorkerView, RenewedView, Verdict, WorkerId,
} from '@muster/protocol';
import { ShownAny, ShownFlag, ShownList, ShownMap, ShownNumber, ShownObject, ShownOneOf, ShownText, ShownWhole } from './shown.js';

export class PendingCommandDto implements PendingCommand {
  @ShownText()
  attemptId: AttemptId;

  @ShownWhole()
  epoch: number;

  @ShownOneOf(['stop', 'forceStop', 'freeze', 'thaw'])
  kind: PendingCommand['kind'];

  @ShownNumber('Between the stop signal and KILL.')
  graceSeconds: number;

  @ShownFlag({ description: 'A stop that is the worker\'s and not the job\'s: its end is `stopped`, and the job goes back to the queue.', required: false })
  isPlanned?: boolean;

  @ShownOneOf(['cancelled', 'paused', 'resumed', 'superseded', 'unknown'], '`superseded` and `unknown`: the job is not this worker\'s any more; tell no end.')
  reason: PendingCommand['reason'];
}

export class VerdictDto {
  @ShownOneOf(['keep', 'stop', 'reclaimed', 'unleased', 'reportEnd'], 'What becomes of it; `docs/protocol.md` says what each means.')
  kind: Verdict['kind'];
}

export class HeartbeatViewDto implements HeartbeatView {
  @ShownNumber('Beat that often.')
  beatIntervalMs: number;

  @ShownNumber('No beat for so long: unreachable.')
  workerTimeoutMs: number;

  @ShownWhole('Jobs it may have at once: what it said, unless people gave it another number.')
  slots: number;

  @ShownList(() => VerdictDto, 'One for each execution that was listed, in its order.')
  verdicts: Verdict[];

  @ShownList(() => PendingCommandDto, 'What is to be done; repeated until it shows.')
  commands: PendingCommandDto[];
}

export class RegisteredWorkerViewDto extends HeartbeatViewDto implements RegisteredWorkerView {
  @ShownText()
  workerId: WorkerId;

  @ShownText()
  name: string;

  @ShownWhole('Number of this start of the program; the newest is the worker.')
  session: number;
}

export class ClaimedAttemptDto implements ClaimedAttemptView {
  @ShownText()
  id: AttemptId;

  @ShownText()
  jobId: JobId;

  @ShownWhole('The fencing token: it grows with each grant of the job.')
  epoch: number;

  @ShownWhole('1 for the first attempt of the job.')
  number: number;

  @ShownAny('Indexes of the GPUs assigned.')
  gpus: number[];

  @ShownNumber('Not started for so long, it goes back to the queue.')
  offerTtlMs: number;
}

export class ClaimedJobDto {
  @ShownText()
  id: JobId;

  @ShownText()
  name: string;

  @ShownMap()
  labels: Record<string, string>;

  @ShownWhole()
  priority: number;

  @ShownAny('What was submitted, with every default filled in.')
  spec: JobSpec;
}

export class ClaimViewDto implements ClaimView {
  @ShownObject(() => ClaimedJobDto)
  job: ClaimedJobDto;

  @ShownObject(() => ClaimedAttemptDto)
  attempt: ClaimedAttemptDto;

  @ShownText('Opens the calls of this attempt, and is never shown again.')
  jobToken: string;
}

export class StartedViewDto {
  @ShownOneOf(['go', 'no'])
  kind: 'go' | 'no';

  @ShownNumber({ description: 'With `go`: how long the attempt is yours without a sign of life, from when you sent this; null: until it ends.', nullable: true, required: false })
  leaseMs?: number | null;
}

export class RenewedViewDto implements RenewedView {
  @ShownNumber()
  beatIntervalMs: number;

  @ShownObject(() => VerdictDto)
  verdict: Verdict;

  @ShownList(() => PendingCommandDto)
  commands: PendingCommandDto[];
}

export class StoredLengthDto {
  @ShownWhole('Go on there, whatever was sent.')
  storedLength: number;
}

export class CompletedViewDto {
  @ShownOneOf(['accepted', 'repeated', 'superseded'], '`repeated`: this end was accepted before. `superseded`: the job is somebody else\'s, or over; forget it.')
  kind: 'accepted' | 'repeated' | 'superseded';
}

export class NothingDto {}
