import type { FieldError, Problem, ProblemCode } from '@muster/protocol';

/** What the control plane says no with, and what can go wrong before it says anything. */
export type MusterErrorCode = ProblemCode | 'unreachable' | 'unexpectedAnswer' | 'waitTimedOut';

export interface MusterErrorFacts {
  readonly code: MusterErrorCode;
  /** HTTP status of the answer; null when there was none. */
  readonly status: number | null;
  /** What was found, with values. */
  readonly detail: string;
  /** What to do next; empty when nothing is known to help. */
  readonly hint?: string;
  /** Names this request in the control plane's log; null when it never got there. */
  readonly requestId?: string | null;
  readonly errors?: readonly FieldError[];
  readonly cause?: unknown;
}

/** Everything this library throws, except an abort, which throws the signal's own reason. */
export class MusterError extends Error {
  readonly code: MusterErrorCode;
  readonly status: number | null;
  readonly detail: string;
  readonly hint: string;
  readonly requestId: string | null;
  /** Complaints about single fields; empty when the refusal is about the whole. */
  readonly errors: readonly FieldError[];

  constructor(facts: MusterErrorFacts) {
    super(facts.detail, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.status = facts.status;
    this.detail = facts.detail;
    this.hint = facts.hint ?? '';
    this.requestId = facts.requestId ?? null;
    this.errors = facts.errors ?? [];
  }
}

/** Change the request: sent again unchanged it is refused again. */
export class InvalidRequest extends MusterError {}

/** Use another key: this one is missing, mistyped, expired or revoked. */
export class Unauthenticated extends MusterError {}

/** The key is good, and may not do this. */
export class Forbidden extends MusterError {}

/** There is no such thing, or it is there no more, or this key may not see it. */
export class NotFound extends MusterError {}

/** The thing's current state does not allow this. */
export class IllegalTransition extends MusterError {
  /** State that stood in the way; null when the answer did not name it. */
  readonly currentState: string | null;
  readonly allowedActions: readonly string[];

  constructor(
    facts: MusterErrorFacts & { readonly currentState?: string; readonly allowedActions?: readonly string[] },
  ) {
    super(facts);
    this.currentState = facts.currentState ?? null;
    this.allowedActions = facts.allowedActions ?? [];
  }
}

/** Nothing is wrong with the request: later it may succeed. */
export class TryLater extends MusterError {
  /** Pause the control plane asked for; null when it named none. */
  readonly retryAfterMs: number | null;

  constructor(facts: MusterErrorFacts & { readonly retryAfterMs?: number | null }) {
    super(facts);
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}

/** A defect of the control plane; its log has more under `requestId`. */
export class ServerFailed extends MusterError {}

/** No answer came: whether the request took effect is unknown. */
export class Unreachable extends MusterError {}

/** Something answered that does not speak like Muster: a proxy, another program, another version. */
export class UnexpectedAnswer extends MusterError {}

/** The wait is over, the job is not. It goes on. */
export class WaitTimedOut extends MusterError {}

type ProblemError = new (
  facts: MusterErrorFacts & Pick<Problem, 'currentState' | 'allowedActions'> & { retryAfterMs: number | null },
) => MusterError;

/** A new problem code without a class does not compile. */
const CLASS_OF: Record<ProblemCode, ProblemError> = {
  invalidJson: InvalidRequest,
  invalidRequest: InvalidRequest,
  shapeRefused: InvalidRequest,
  keyInUrl: InvalidRequest,
  bodyTooLarge: InvalidRequest,
  unsupportedMediaType: InvalidRequest,
  idempotencyConflict: InvalidRequest,
  unauthenticated: Unauthenticated,
  forbidden: Forbidden,
  superseded: Forbidden,
  notFound: NotFound,
  logRemoved: NotFound,
  workerRemoved: NotFound,
  illegalTransition: IllegalTransition,
  idempotencyInProgress: TryLater,
  tooManyRequests: TryLater,
  unavailable: TryLater,
  internal: ServerFailed,
};

/** Turns an answer that is not a success into the error it means. `body` is whatever the body decoded to, or its text. */
export function toMusterError(status: number, body: unknown, headers: Pick<Headers, 'get'>): MusterError {
  const retryAfterMs = readRetryAfter(headers.get('retry-after'));
  const problem = readProblem(body);
  if (problem) {
    const { code, detail, hint, requestId, errors, currentState, allowedActions } = problem;
    return new CLASS_OF[code]({
      code,
      status,
      detail,
      hint,
      requestId,
      errors,
      currentState,
      allowedActions,
      retryAfterMs,
    });
  }
  const requestId = headers.get('x-request-id');
  // Gateways in front of a control plane that is starting or down answer these without our body.
  if (status === 502 || status === 503 || status === 504 || status === 429) {
    const detail = `The way to the control plane answered ${status}.`;
    return new TryLater({
      code: status === 429 ? 'tooManyRequests' : 'unavailable',
      status,
      detail,
      requestId,
      retryAfterMs,
    });
  }
  return new UnexpectedAnswer({
    code: 'unexpectedAnswer',
    status,
    detail: `Got status ${status} with a body that is not a Muster problem document.`,
    hint: 'Check that the URL is that of a Muster control plane, and whether a proxy stands in between.',
    requestId,
  });
}

function readProblem(body: unknown): Problem | null {
  if (typeof body !== 'object' || body === null) return null;
  const { code, detail, title } = body as Partial<Record<keyof Problem, unknown>>;
  if (typeof code !== 'string' || !Object.hasOwn(CLASS_OF, code)) return null;
  const text = typeof detail === 'string' ? detail : typeof title === 'string' ? title : code;
  return { ...(body as Problem), detail: text };
}

function readRetryAfter(text: string | null): number | null {
  if (text === null || !/^\d+(\.\d+)?$/.test(text.trim())) return null;
  return Number(text) * 1_000;
}
