import { CAPABILITIES, DRAIN_DEADLINE_SECONDS_MAX, DRAIN_POLICIES, LABEL_NAME, LABEL_RULE, LIMITS, WORKER_SLOTS_MAX } from '@muster/protocol';
import type { Capability, DrainPolicy } from '@muster/protocol';
import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateIf } from 'class-validator';
import { Field, OneOf, Text, TextMap, Whole } from './fields.js';
import { QueryFlag } from './queries.js';
import { hasBytes } from './values.js';

const { contentTypesMax: CONTENT_TYPES_MAX, contentTypeBytesMax: CONTENT_TYPE_BYTES_MAX } = LIMITS;
const WHY = { description: 'Why, for those who see the worker; shown with its status.', example: 'new disk', bytesMax: 500, isOptional: true };

/** No new jobs; what runs goes on. */
export class CordonWorkerDto {
  @Text(WHY)
  reason?: string;
}

/** No new jobs, and what runs comes to an end. An empty object waits for that without a deadline. */
export class DrainWorkerDto {
  @OneOf(DRAIN_POLICIES, {
    description:
      'What becomes of jobs that run. `wait`: they end by themselves; the deadline only raises an alert. `requeue`: what still runs at the deadline is stopped, by its signal and grace, and goes back to the queue; no retry is spent. `checkpoint`: as `requeue`, and jobs with `pause: checkpoint` are stopped so at once. Checkpoints are not carried along by this version: a job that keeps none of its own begins anew. Default: wait.',
    example: 'requeue',
    isOptional: true,
  })
  policy?: DrainPolicy;

  @Whole({
    description: 'Seconds from now, by the clock of the database, until the policy acts on what still runs; 0: at once. `requeue` needs it. Default: never.',
    example: 1_800,
    min: 0,
    max: DRAIN_DEADLINE_SECONDS_MAX,
    isOptional: true,
  })
  deadlineSeconds?: number;

  @Text(WHY)
  reason?: string;
}

export class UndrainWorkerDto {
  @Text({ ...WHY, description: 'Why, for those who read the events later.', example: 'disk replaced' })
  reason?: string;
}

/** What people set stands above what the agent says of itself, also after it was started anew. `null` gives it back to the agent; what is left out stays. */
export class UpdateWorkerDto {
  @Nullable()
  @Text({ description: 'What it is called.', example: 'lab-3', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  name?: string | null;

  @Nullable()
  @TextMap({
    description: 'Its labels, all of them: those of the agent do not count beside these.',
    example: { zone: 'lab', driver: '550' },
    namePattern: LABEL_NAME,
    nameRule: LABEL_RULE,
    entriesMax: LIMITS.labelsMax,
    bytesMax: LIMITS.labelBytesMax,
    isOptional: true,
  })
  labels?: Record<string, string> | null;

  @Nullable()
  @Field(
    { description: 'Content types it takes, all of them; an empty list takes none.', example: ['image', 'video'], isOptional: true },
    { type: 'array', items: { type: 'string', minLength: 1, maxLength: CONTENT_TYPE_BYTES_MAX }, maxItems: CONTENT_TYPES_MAX },
    `a list of at most ${CONTENT_TYPES_MAX} different texts of 1 to ${CONTENT_TYPE_BYTES_MAX} bytes`,
    (value) => Array.isArray(value) && value.length <= CONTENT_TYPES_MAX && value.every((text) => hasBytes(text, 1, CONTENT_TYPE_BYTES_MAX)) && new Set(value).size === value.length,
  )
  contentTypes?: string[] | null;

  @Nullable()
  @OneOf(CAPABILITIES, { description: 'What it is good for; `hybrid` satisfies both needs.', example: 'hybrid', isOptional: true })
  capability?: Capability | null;

  @Nullable()
  @Whole({
    description: 'Jobs it takes at once. Its agent follows with its next beat: more slots are opened; of fewer, what runs above them ends by itself.',
    example: 4,
    min: 1,
    max: WORKER_SLOTS_MAX,
    isOptional: true,
  })
  slots?: number | null;
}

export class RemoveWorkerQuery {
  @QueryFlag({ description: 'Also while it holds jobs: they are taken back from it and wait for another worker; exclusive ones when their lease is over.' })
  force?: boolean;
}

/** `null` says something too. */
function Nullable(): PropertyDecorator {
  return applyDecorators(ValidateIf((_object, value) => value !== null), ApiProperty({ nullable: true }));
}
