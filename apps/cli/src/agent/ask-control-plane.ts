import type { Asked } from './checks.js';

const PATIENCE_MS = 5_000;

/** Asks whether it can work; needs no key. Never rejects but when interrupted. */
export async function askControlPlane(url: string, signal: AbortSignal): Promise<Asked> {
  const askedMs = Date.now();
  try {
    const response = await fetch(new URL('/health/ready', url), {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    const answeredMs = Date.now();
    await response.body?.cancel();
    return { askedMs, answeredMs, status: response.status, date: response.headers.get('date') };
  } catch (error) {
    signal.throwIfAborted();
    return { failure: reasonOf(error) };
  }
}

/** `fetch` hides the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1_000} s`;
  const { cause } = error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : null;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}
