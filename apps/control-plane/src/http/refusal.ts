import type { FieldError, ProblemCode } from '@muster/protocol';

export interface RefusalParts {
  /** What was found, as one or two sentences. */
  readonly detail: string;
  /** What to do next. */
  readonly hint: string;
  readonly errors?: readonly FieldError[];
  readonly currentState?: string;
  readonly allowedActions?: readonly string[];
  /** Answered as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** What was wrong on our side; logged, never answered. */
  readonly cause?: unknown;
}

/**
 * A no with its reason. The code decides the HTTP status (table `PROBLEMS`); whoever throws one names what was found and
 * what to do, never a status.
 */
export class Refusal extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly parts: RefusalParts,
  ) {
    super(parts.detail, { cause: parts.cause });
    this.name = 'Refusal';
  }
}

export function invalidRequest(errors: readonly FieldError[]): Refusal {
  const [first] = errors;
  const where = first === undefined || first.pointer === '' ? '' : `${first.pointer}: `;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more in \`errors\`)` : '';
  return new Refusal('invalidRequest', {
    detail: `${where}${first?.detail ?? ''}${more}`,
    hint: 'Correct the fields named in `errors` and send it again; nothing was stored.',
    errors,
  });
}

export function notFound(noun: string, id: string, hint: string): Refusal {
  return new Refusal('notFound', { detail: `There is no ${noun} ${JSON.stringify(id.slice(0, 80))}.`, hint });
}

export function unknownJob(id: string): Refusal {
  return notFound('job', id, 'Find jobs with `GET /api/v1/jobs`; `?prefix=` finds them by the beginning of an id. Finished jobs are removed after the time that `GET /api/v1/meta` names.');
}

export function unknownWorker(id: string): Refusal {
  return notFound('worker', id, 'List workers with `GET /api/v1/workers`.');
}
