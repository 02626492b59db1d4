import type { FieldError } from '@muster/protocol';
import type { MusterError, MusterErrorCode } from '@muster/client';
import { asCalled } from './called-as.js';
import { EXIT } from './exit-codes.js';

export interface FailureFacts {
  /** Stable word for programs. */
  readonly code: string;
  readonly exitCode: number;
  /** What did not work, one sentence. */
  readonly what: string;
  /** Why, with the values found. */
  readonly why?: string;
  /** What to type or do next. */
  readonly next?: string;
  readonly status?: number | null;
  readonly requestId?: string | null;
  readonly errors?: readonly FieldError[];
  readonly cause?: unknown;
}

/** How a command says that it could not do what it was asked: what, why, and the next step. */
export class Failure extends Error {
  constructor(readonly facts: FailureFacts) {
    super(facts.what, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'Failure';
  }
}

/** The words or the file given to a command make no sense. */
export function usageFailure(what: string, next: string, why?: string): Failure {
  return new Failure({ code: 'usage', exitCode: EXIT.usage, what, why, next });
}

interface Consequence {
  readonly exitCode: number;
  readonly what: string;
  readonly next: string;
  /** The control plane's advice is better than ours, when it gives one: it is not about its own interface. */
  readonly prefersHint?: boolean;
}

/** A new code of the client without an exit code does not compile. `{url}` stands for the control plane's address, `{job}` for the job it is about. */
const CONSEQUENCES: Record<MusterErrorCode, Consequence> = {
  invalidJson: {
    exitCode: EXIT.usage,
    what: 'The control plane could not read the request.',
    next: 'Report this: `muster version --json`.',
  },
  invalidRequest: {
    exitCode: EXIT.usage,
    what: 'The request is not valid.',
    next: 'Correct what is named above and try again.',
  },
  shapeRefused: {
    exitCode: EXIT.usage,
    what: 'The request is nested too deeply or has too many keys.',
    next: 'Make the job smaller: pass large input as a file.',
    prefersHint: true,
  },
  keyInUrl: {
    exitCode: EXIT.usage,
    what: 'A key must not stand in an address.',
    next: 'Give the key with `muster login` or MUSTER_KEY.',
  },
  bodyTooLarge: {
    exitCode: EXIT.usage,
    what: 'The request is too large.',
    next: 'Submit fewer jobs at once, or pass large input as a file.',
    prefersHint: true,
  },
  unsupportedMediaType: {
    exitCode: EXIT.usage,
    what: 'The control plane does not take this kind of body.',
    next: 'Send JSON.',
  },
  idempotencyConflict: {
    exitCode: EXIT.conflict,
    what: 'This idempotency key was used for another request.',
    next: 'Choose a new idempotency key.',
    prefersHint: true,
  },
  idempotencyInProgress: {
    exitCode: EXIT.conflict,
    what: 'The same request is still running.',
    next: 'Try again in a moment.',
    prefersHint: true,
  },
  unauthenticated: {
    exitCode: EXIT.denied,
    what: 'The control plane at {url} asks for a key that it knows.',
    next: 'Sign in with one: muster login --url {url}',
  },
  forbidden: {
    exitCode: EXIT.denied,
    what: 'This key may not do that.',
    next: 'See what it may do: muster whoami',
    prefersHint: true,
  },
  superseded: {
    exitCode: EXIT.denied,
    what: 'A newer program is this worker now.',
    next: 'Look at the worker: muster workers',
    prefersHint: true,
  },
  workerRemoved: {
    exitCode: EXIT.notFound,
    what: 'This worker was removed.',
    next: 'List what there is: muster workers',
    prefersHint: true,
  },
  notFound: { exitCode: EXIT.notFound, what: 'Not found.', next: 'List what there is: muster ps -a' },
  logRemoved: {
    exitCode: EXIT.notFound,
    what: 'This log is gone.',
    next: 'See what is still known of it: muster show {job}',
  },
  illegalTransition: {
    exitCode: EXIT.conflict,
    what: 'Its current state does not allow that.',
    next: 'Look at it: muster show {job}',
    prefersHint: true,
  },
  tooManyRequests: {
    exitCode: EXIT.failed,
    what: 'The control plane asks for fewer requests.',
    next: 'Try again in a moment.',
    prefersHint: true,
  },
  unavailable: {
    exitCode: EXIT.unreachable,
    what: 'The control plane at {url} cannot answer now.',
    next: 'Try again in a moment; if it stays, look at its log.',
    prefersHint: true,
  },
  internal: {
    exitCode: EXIT.failed,
    what: 'The control plane failed.',
    next: 'Its log says more under the request id; -v shows it.',
    prefersHint: true,
  },
  unreachable: {
    exitCode: EXIT.unreachable,
    what: 'The control plane at {url} cannot be reached.',
    next: 'Start one here with `muster up`, or name another with --url, MUSTER_URL or `muster login`.',
  },
  unexpectedAnswer: {
    exitCode: EXIT.unreachable,
    what: 'What answers at {url} is not a Muster control plane.',
    next: 'Check the address: `muster context show`.',
  },
  waitTimedOut: {
    exitCode: EXIT.waitTimedOut,
    what: 'The time to wait is over; the job goes on.',
    next: 'Follow it: muster logs -f {job}',
  },
};

/** What an error of the client means to the person at the terminal. */
export function toFailure(error: MusterError, url: string): Failure {
  const { exitCode, what, next, prefersHint } = CONSEQUENCES[error.code];
  const job = /\bjob_[0-9A-Z]{26}\b/.exec(error.detail)?.[0];
  const worker = job === undefined ? /\bwkr_[0-9A-Z]{26}\b/.exec(error.detail)?.[0] : undefined;
  const isAttempt = error.code === 'notFound' && error.detail.startsWith('There is no attempt');
  const otherAddress = error.code === 'unreachable' ? /^Try (http:\S+):/.exec(error.hint)?.[1] : undefined;
  const fill = (text: string): string => {
    const about = worker === undefined ? text : text.replace('muster show {job}', `muster worker show ${worker}`).replace('muster ps -a', 'muster workers -a');
    return about.replaceAll('{url}', url).replaceAll('{job}', job ?? '<job>');
  };
  return new Failure({
    code: error.code,
    exitCode,
    what: fill(what),
    why: error.detail,
    next: isAttempt
      ? 'See which attempts there are: muster show <job>'
      : otherAddress !== undefined
        ? `It seems to speak plain HTTP. Try --url ${otherAddress}`
      : prefersHint === true && error.hint !== ''
        ? error.hint
        : fill(next),
    status: error.status,
    requestId: error.requestId,
    errors: error.errors,
    cause: error,
  });
}

/** The text a person reads on stderr. */
export function renderFailure({ facts }: Failure, isVerbose: boolean, program = 'muster'): string {
  const complaints = (facts.errors ?? []).map(
    ({ pointer, detail }) => `${pointer === '' ? 'body' : pointer}: ${detail}`,
  );
  const lines = [`muster: ${facts.what}`];
  // The whole is told by its first complaint, which stands below with the others.
  const [first] = facts.errors ?? [];
  const isSaidBelow =
    first !== undefined && [first.detail, complaints[0] ?? ''].some((said) => (facts.why ?? '').startsWith(said));
  if (facts.why !== undefined && facts.why !== facts.what && !isSaidBelow) lines.push(`  ${facts.why}`);
  lines.push(...complaints.map((complaint) => `  ${complaint}`));
  if (facts.next !== undefined && facts.next !== '') lines.push(`  Next: ${asCalled(facts.next, program)}`);
  if (isVerbose) {
    if (facts.requestId) lines.push(`  Request id: ${facts.requestId}`);
    if (facts.cause instanceof Error && facts.cause.stack !== undefined)
      lines.push(facts.cause.stack.replace(/^/gm, '  '));
  }
  return `${lines.join('\n')}\n`;
}

/** The same for programs: one line, a problem document with the exit code beside it. */
export function failureDocument({ facts }: Failure): Record<string, unknown> {
  return {
    type: `/problems/${facts.code}`,
    title: facts.what,
    status: facts.status ?? null,
    code: facts.code,
    detail: facts.why ?? facts.what,
    hint: facts.next ?? null,
    requestId: facts.requestId ?? null,
    errors: facts.errors ?? [],
    exitCode: facts.exitCode,
  };
}
