/** What several calls of a worker over HTTP say alike. */
import { EXECUTION_STATES, ID_PREFIXES, isId, LIMITS } from '@muster/protocol';
import type { AttemptId, ExecutionState } from '@muster/protocol';
import { Field, ListOf, OneOf, Whole } from './fields.js';

const SESSION_MAX = 2 ** 31 - 1;
const EXECUTIONS_MAX = 5_000;

export function Session(): PropertyDecorator {
  return Whole({
    description: 'The number that registering was answered with. Who sends it is told when a newer program is this worker; left out, the newest is meant.',
    example: 1, min: 1, max: SESSION_MAX, isOptional: true,
  });
}

function AttemptName(): PropertyDecorator {
  return Field(
    { description: 'Which attempt.', example: 'att_01JDABCDEF0123456789ABCDEF' },
    { type: 'string' },
    'an id beginning with att_',
    (value) => isId(ID_PREFIXES.attempt, value),
  );
}

/** An attempt the worker has, and how it stands there. */
export class ExecutionDto {
  @AttemptName()
  attemptId: AttemptId;

  @Whole({ description: 'The number of its grant, as the claim said it.', example: 1, min: 0, max: SESSION_MAX })
  epoch: number;

  @OneOf(EXECUTION_STATES, { description: '`accepted`: not begun. `exited`: over, its end not accepted yet.', example: 'running' })
  state: ExecutionState;
}

export function Executions(): PropertyDecorator {
  return ListOf(() => ExecutionDto, EXECUTIONS_MAX, { description: 'Every attempt whose end was not accepted yet: their leases are renewed.', isOptional: true });
}

export function GpusHeld(): PropertyDecorator {
  return Field(
    { description: 'Indexes of GPUs that something else holds; they are not given to anybody.', example: [0], isOptional: true },
    { type: 'array', items: { type: 'integer', minimum: 0, maximum: LIMITS.gpuIndexMax }, maxItems: LIMITS.gpusMax },
    `a list of at most ${LIMITS.gpusMax} whole numbers from 0 to ${LIMITS.gpuIndexMax}`,
    (value) => Array.isArray(value) && value.length <= LIMITS.gpusMax && value.every((one) => Number.isInteger(one) && one >= 0 && one <= LIMITS.gpuIndexMax),
  );
}
