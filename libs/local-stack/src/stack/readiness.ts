import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceFailed, type Service } from './service.js';

/** How long an answer of 401 to our own key is taken as a sign that another program answers on our port. */
const STRANGER_MS = 3_000;

/** The control plane did not become ready in time. */
export class NotReady extends Error {
  readonly code = 'notReady';
  constructor(url: string, timeoutMs: number, last: string, logFile: string) {
    super(`The control plane at ${url} did not become ready within ${timeoutMs / 1_000} s (${last}). See ${logFile}.`);
    this.name = 'NotReady';
  }
}

export interface ReadinessOptions {
  readonly url: string;
  readonly service: Service;
  readonly adminKeyFile: string;
  readonly logFile: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Resolves when our control plane is ready. Another program that took the port a moment before us may answer too: when
 * the answerer does not know our key, our own service is given the time to die of it.
 *
 * @throws ServiceFailed when the service ends before that
 */
export async function waitUntilReady(options: ReadinessOptions): Promise<void> {
  const { url, service, signal } = options;
  const untilMs = performance.now() + options.timeoutMs;
  let readySinceMs: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    if (!service.isRunning) throw await service.failure();
    const status = await statusOf(`${url}/health/ready`);
    if (status === 200) {
      readySinceMs ??= performance.now();
      const isStranger = (await statusOf(`${url}/api/v1/me`, keyIn(options.adminKeyFile))) === 401;
      if (!isStranger || performance.now() - readySinceMs > STRANGER_MS) return;
    }
    if (performance.now() > untilMs) {
      const last = status === undefined ? 'no answer' : `answer ${status}`;
      throw new NotReady(url, options.timeoutMs, last, options.logFile);
    }
    await delay(100);
  }
}

/** Whether a service ended because somebody else listens on its port. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof ServiceFailed && /EADDRINUSE|address already in use/i.test(error.logTail);
}

/** The key that a file holds, or `undefined` when there is no such file. */
export function keyIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

async function statusOf(url: string, key?: string): Promise<number | undefined> {
  try {
    const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}
