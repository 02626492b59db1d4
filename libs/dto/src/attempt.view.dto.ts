import { ATTEMPT_STATES, CONTAINMENT_RUNGS, EVENT_TYPES, OUTCOMES } from '@muster/protocol';
import type {
  AttemptId, AttemptState, AttemptView, ContainmentRung, EventId, EventType, EventView, Exit, JobId, LogStream, LogStreamState,
  Outcome, Usage, WorkerId,
} from '@muster/protocol';
import { ApiProperty } from '@nestjs/swagger';
import { ShownAny, ShownList, ShownMoment, ShownNumber, ShownObject, ShownOneOf, ShownText, ShownWhole } from './shown.js';

export class ExitDto implements Exit {
  @ShownWhole({ description: '0 to 255.', nullable: true })
  code: number | null;

  @ShownText({ example: 'SIGTERM', nullable: true })
  signal: string | null;

  @ApiProperty({ type: 'boolean', required: false, description: 'True where code and signal cannot be told apart.' })
  likely?: boolean;
}

export class UsageDto implements Usage {
  @ShownNumber({ nullable: true })
  cpuSeconds: number | null;

  @ShownWhole({ nullable: true })
  memoryBytesPeak: number | null;

  @ShownNumber({ nullable: true })
  wallSeconds: number | null;
}

export class LogStreamStateDto implements LogStreamState {
  @ShownWhole('Bytes stored.')
  storedLength: number;

  @ShownWhole({ description: 'Bytes there are; known with the end of the attempt.', nullable: true })
  finalLength: number | null;

  @ShownText({ description: 'SHA-256 of all bytes, as the worker computed it.', nullable: true })
  sha256: string | null;

  @ShownOneOf(['live', 'draining', 'complete', 'missing', 'removed'], '`removed`: kept long enough and gone.')
  state: LogStreamState['state'];

  @ShownWhole('Line ends stored.')
  lineCount: number;
}

/** One try on one worker. */
export class AttemptViewDto implements AttemptView {
  @ShownText({ example: 'att_01JDABCDEF0123456789ABCDEF' })
  id: AttemptId;

  @ShownText('The same as `id`.')
  attemptId: AttemptId;

  @ShownText()
  jobId: JobId;

  @ShownWhole('1 for the first.')
  number: number;

  @ShownWhole('Fencing token of its grant.')
  epoch: number;

  @ShownText()
  workerId: WorkerId;

  @ShownText()
  workerName: string;

  @ShownOneOf(ATTEMPT_STATES)
  state: AttemptState;

  @ShownOneOf(OUTCOMES, { nullable: true })
  outcome: Outcome | null;

  @ShownObject(() => ExitDto, { nullable: true })
  exit: ExitDto | null;

  @ShownText({ nullable: true })
  detail: string | null;

  @ShownOneOf(CONTAINMENT_RUNGS, { nullable: true })
  containment: ContainmentRung | null;

  @ShownMoment({ nullable: true })
  leaseUntil: string | null;

  @ShownMoment()
  offeredAt: string;

  @ShownMoment({ nullable: true })
  startedAt: string | null;

  @ShownMoment({ nullable: true })
  endedAt: string | null;

  @ShownObject(() => UsageDto, { nullable: true })
  usage: UsageDto | null;

  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/LogStreamStateDto' }, description: 'By name of the stream.' })
  logs: Partial<Record<LogStream, LogStreamState>>;
}

export class AttemptListDto {
  @ShownList(() => AttemptViewDto)
  data: AttemptViewDto[];
}

/** Something that happened. */
export class EventViewDto implements EventView {
  @ShownText({ example: 'evt_01JDABCDEF0123456789ABCDEF' })
  id: EventId;

  @ShownWhole('Grows; not dense.')
  seq: number;

  @ShownOneOf(EVENT_TYPES)
  type: EventType;

  @ShownMoment()
  at: string;

  @ShownText({ description: 'An owner, `worker <name>`, or `muster`.', example: 'maria' })
  actor: string;

  @ShownText({ nullable: true })
  jobId: JobId | null;

  @ShownText({ nullable: true })
  attemptId: AttemptId | null;

  @ShownText({ nullable: true })
  workerId: WorkerId | null;

  @ShownAny()
  data: Record<string, unknown>;
}

export class EventPageDto {
  @ShownList(() => EventViewDto)
  data: EventViewDto[];

  @ShownText({ nullable: true })
  nextCursor: string | null;
}
