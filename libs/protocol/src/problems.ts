/**
 * Every way the control plane says no, with its HTTP status: one table, so that a new code without a status does not
 * compile. A problem's `detail` says what was found, `hint` what to do next.
 */
export const PROBLEMS = {
  invalidJson: { status: 400, title: 'The body is not JSON' },
  invalidRequest: { status: 400, title: 'The request is not valid' },
  shapeRefused: { status: 400, title: 'The body is nested too deeply or has too many keys' },
  keyInUrl: { status: 400, title: 'A key must not be sent in a URL' },
  unauthenticated: { status: 401, title: 'A valid key is needed' },
  forbidden: { status: 403, title: 'This key may not do that' },
  notFound: { status: 404, title: 'Not found' },
  logRemoved: { status: 410, title: 'The log was kept long enough and is gone' },
  superseded: { status: 409, title: 'A newer program is this worker now' },
  workerRemoved: { status: 410, title: 'The worker was removed' },
  illegalTransition: { status: 409, title: 'The current state does not allow that' },
  idempotencyConflict: { status: 422, title: 'This Idempotency-Key was used with another body' },
  idempotencyInProgress: { status: 409, title: 'A request with this Idempotency-Key is still running' },
  bodyTooLarge: { status: 413, title: 'The body is too large' },
  unsupportedMediaType: { status: 415, title: 'The body must be application/json' },
  tooManyRequests: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Muster failed' },
  unavailable: { status: 503, title: 'Muster cannot answer now' },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** One complaint about one field. `pointer` is a JSON pointer into the body (`/run/command`) or `?name` for a query. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** RFC 9457 problem document, `application/problem+json`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly hint?: string;
  readonly requestId: string;
  readonly errors?: readonly FieldError[];
  /** With `illegalTransition`. */
  readonly currentState?: string;
  readonly allowedActions?: readonly string[];
}
