import { setTimeout as wait } from 'node:timers/promises';
import { API_BASE, KEY_PREFIXES } from '@muster/protocol';
import { Backoff, redactText } from '@muster/runtime';
import { CannotWork } from '../exit-codes.js';
import type { StoredKey } from './stored-key.js';

export interface EnrolmentOptions {
  readonly url: string;
  readonly token: string;
  /** Name of the new key, by which people recognise the machine. */
  readonly name: string;
  readonly connectTimeoutMs: number;
  readonly retryIntervalMs: number;
  readonly retryMaxMs: number;
  readonly stored: StoredKey;
  readonly logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

type Outcome =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'later'; readonly why: string; readonly afterMs?: number };

/**
 * Exchanges the token for this machine's own key, which is on disk when it resolves. A control plane that cannot be reached
 * or is busy is asked for ever; one whose answer was lost is asked for the same key again.
 *
 * @throws CannotWork when the token is refused
 */
export async function enrol(options: EnrolmentOptions): Promise<string> {
  const { stored, token, logger, url, retryIntervalMs, retryMaxMs } = options;
  const exchangeId = await stored.remember(token);
  const backoff = new Backoff({ baseMs: retryIntervalMs, maxMs: retryMaxMs, minMs: Math.min(100, retryIntervalMs) });
  for (;;) {
    const outcome = await ask(options, exchangeId);
    if (outcome.kind === 'refused') {
      throw new CannotWork(`The control plane ${url} refused the enrolment token: ${outcome.why}`);
    }
    if (outcome.kind === 'key') {
      await stored.keep(token, outcome.key);
      logger.info({ url }, 'machine enrolled');
      return outcome.key;
    }
    const delayMs = Math.max(backoff.nextDelayMs(), outcome.afterMs ?? 0);
    logger.warn({ url, detail: outcome.why, inMs: Math.round(delayMs) }, 'not enrolled yet');
    await wait(delayMs);
  }
}

async function ask({ url, token, name, connectTimeoutMs }: EnrolmentOptions, exchangeId: string): Promise<Outcome> {
  try {
    const response = await fetch(new URL(`${API_BASE}/keys/enrol`, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ exchangeId, ...(name === '' ? {} : { name }) }),
      // The token goes nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(connectTimeoutMs),
    });
    return toOutcome(response, await response.text());
  } catch (error) {
    return { kind: 'later', why: messageOf(error) };
  }
}

function toOutcome(response: Response, text: string): Outcome {
  const body = parse(text);
  const { secret, detail, hint } = body;
  if (response.ok && typeof secret === 'string' && secret.startsWith(KEY_PREFIXES.worker)) return { kind: 'key', key: secret };
  const said = [detail, hint].filter((part) => typeof part === 'string').join(' ');
  const why = redactText(said === '' ? `it answered ${response.status}` : said);
  // Somebody else answers in its place, or it is not ready: that passes.
  const isFinal = response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429;
  if (isFinal) return { kind: 'refused', why };
  const afterSeconds = Number(response.headers.get('retry-after'));
  return { kind: 'later', why, ...(afterSeconds > 0 ? { afterMs: afterSeconds * 1_000 } : {}) };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** `fetch` hides the cause (`ECONNREFUSED`) one level below. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
