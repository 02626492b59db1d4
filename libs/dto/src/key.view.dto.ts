import { PROBLEMS, ROLES } from '@muster/protocol';
import type { CreatedKeyView, FieldError, KeyId, KeyView, MeView, MetaView, Problem, ProblemCode, Role } from '@muster/protocol';
import { ApiProperty } from '@nestjs/swagger';
import { ShownList, ShownMap, ShownMoment, ShownOneOf, ShownText, ShownWhole } from './shown.js';

const PROBLEM_CODES = Object.keys(PROBLEMS);

/** A key, without its secret. */
export class KeyViewDto implements KeyView {
  @ShownText({ example: 'key_01JDABCDEF0123456789ABCDEF' })
  id: KeyId;

  @ShownText()
  name: string;

  @ShownOneOf(ROLES)
  role: Role;

  @ShownText()
  owner: string;

  @ShownText('The first characters of the secret, enough to recognise it.')
  prefix: string;

  @ShownMoment()
  createdAt: string;

  @ShownMoment({ nullable: true })
  expiresAt: string | null;

  @ShownMoment({ nullable: true })
  revokedAt: string | null;

  @ShownMoment({ description: 'To about a minute.', nullable: true })
  lastUsedAt: string | null;

  @ShownMoment({ description: 'When its secret was last replaced.', nullable: true })
  rotatedAt: string | null;

  @ShownMoment({ description: 'Until when a replaced secret still works; null when only the newest does.', nullable: true })
  overlapEndsAt: string | null;
}

export class CreatedKeyViewDto extends KeyViewDto implements CreatedKeyView {
  @ShownText('The secret, in full. Shown this once and stored nowhere.')
  secret: string;
}

export class KeyListDto {
  @ShownList(() => KeyViewDto)
  data: KeyViewDto[];
}

/** Whose key this is. */
export class MeViewDto implements MeView {
  @ShownText()
  keyId: string;

  @ShownOneOf(ROLES)
  role: string;

  @ShownText()
  owner: string;

  @ShownText()
  name: string;
}

/** What answers here, and what it accepts. */
export class MetaViewDto implements MetaView {
  @ShownText()
  version: string;

  @ShownText('Of the agent protocol.')
  protocolVersion: string;

  @ShownText()
  apiBase: string;

  @ShownMap('Every limit by name.', 'number')
  limits: Record<string, number>;

  @ShownWhole('No beat for this long makes a worker offline.')
  workerTimeoutMs: number;

  @ShownWhole('Finished jobs are removed after this time, with their attempts, events and metrics.')
  jobRetentionMs: number;

  @ShownWhole('Logs are removed this long after their job finished.')
  logRetentionMs: number;

  @ShownWhole('Samples of workers are removed after this long, when they are by the hour; finer ones sooner.')
  sampleRetentionMs: number;
}

export class FieldErrorDto implements FieldError {
  @ShownText({ description: 'JSON pointer into the body, or `?name` for a query.', example: '/run/command' })
  pointer: string;

  @ShownText()
  detail: string;
}

/** Every refusal and failure, RFC 9457. */
export class ProblemDto implements Problem {
  @ShownText({ example: '/problems/invalidRequest' })
  type: string;

  @ShownText()
  title: string;

  @ShownWhole()
  status: number;

  @ShownOneOf(PROBLEM_CODES)
  code: ProblemCode;

  @ShownText('What was found.')
  detail: string;

  @ApiProperty({ type: 'string', required: false, description: 'What to do next.' })
  hint?: string;

  @ShownText('Also in the header X-Request-Id and in our log.')
  requestId: string;

  @ApiProperty({ type: () => FieldErrorDto, isArray: true, required: false })
  errors?: FieldErrorDto[];

  @ApiProperty({ type: 'string', required: false })
  currentState?: string;

  @ApiProperty({ type: 'array', items: { type: 'string' }, required: false })
  allowedActions?: string[];
}
