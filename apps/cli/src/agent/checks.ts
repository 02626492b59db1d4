/** What `muster agent doctor` finds out beside the agent itself. Pure: what was seen in, a check out. */
import type { AgentCheck, AgentCheckResult, AgentStatusView } from '@muster/protocol';
import { EXIT } from '../exit-codes.js';
import { duration } from '../render/text.js';

/** One answer of the control plane's, seen from here. */
export interface Answer {
  /** Wall clock of this machine when it was asked, and when it had answered; milliseconds since 1970. */
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly status: number;
  /** Its own wall clock, in whole seconds; null where it did not say. */
  readonly date: string | null;
}

export type Asked = Answer | { readonly failure: string };

/** Lines of a log and times of jobs are compared by people; leases count durations and do not care. */
const SKEW_MS = 2_000;
const SLOW_MS = 1_000;

const ok = (name: string, detail: string): AgentCheck => ({ name, result: 'ok', detail, advice: null });

export function checkControlPlane(url: string, asked: Asked): AgentCheck {
  const name = 'controlPlane';
  const advice = 'Check MUSTER_URL, the network between here and there, and that the control plane runs.';
  if ('failure' in asked)
    return { name, result: 'failed', detail: `${url} cannot be reached: ${asked.failure}.`, advice };
  const tookMs = Math.max(0, asked.answeredMs - asked.askedMs);
  if (asked.status !== 200) {
    const detail = `${url} answers ${asked.status}: it cannot work now, or is something else.`;
    return { name, result: 'failed', detail, advice: 'Look at the control plane and its PostgreSQL.' };
  }
  const detail = `${url} answers in ${tookMs} ms.`;
  if (tookMs <= SLOW_MS) return ok(name, detail);
  return { name, result: 'warning', detail, advice: 'Beats and log bytes take as long; look at the network.' };
}

/** Its clock is told in whole seconds, and was read somewhere between question and answer. */
export function checkClock(asked: Asked): AgentCheck {
  const name = 'clock';
  const serverMs = 'failure' in asked || asked.date === null ? Number.NaN : Date.parse(asked.date);
  if ('failure' in asked || Number.isNaN(serverMs))
    return { name, result: 'unknown', detail: 'The control plane did not say what time it is.', advice: null };
  const earliestMs = serverMs - asked.answeredMs;
  const latestMs = serverMs + 1_000 - asked.askedMs;
  const apartMs = earliestMs > 0 ? earliestMs : Math.min(0, latestMs);
  if (Math.abs(apartMs) <= SKEW_MS) return ok(name, "This machine's clock agrees with the control plane's.");
  const direction = apartMs > 0 ? 'behind' : 'ahead of';
  return {
    name,
    result: 'warning',
    detail: `This machine's clock is at least ${duration(Math.abs(apartMs))} ${direction} the control plane's.`,
    advice: 'Let both follow a time server (chrony, systemd-timesyncd). Leases are safe; times shown are not.',
  };
}

export function checkLink(status: AgentStatusView, nowMs: number): AgentCheck {
  const name = 'link';
  const beat =
    status.lastBeatAt === null ? 'no beat yet' : `last beat ${duration(nowMs - Date.parse(status.lastBeatAt))} ago`;
  if (status.status === 'online') return ok(name, `The agent is connected to ${status.url}, ${beat}.`);
  const { state, lastFailure, nextTryAt } = status.link;
  const why = lastFailure === undefined ? state : `${lastFailure}; next try at ${nextTryAt ?? 'once'}`;
  const detail = `The agent is not connected to ${status.url}: ${why}.`;
  return { name, result: 'failed', detail, advice: 'See the check of the control plane, and the log of the agent.' };
}

/** Programs of one installation have one version. Null: not told. */
export function checkVersion(
  versions: Readonly<Record<'agent' | 'cli', string> & { controlPlane: string | null }>,
): AgentCheck {
  const { agent, cli, controlPlane } = versions;
  const others = [cli, controlPlane].filter((version) => version !== null);
  const detail = `Agent ${agent}, this program ${cli}, control plane ${controlPlane ?? 'not asked (no key for it here)'}.`;
  if (others.every((version) => version === agent)) return ok('version', detail);
  const advice = 'Upgrade what is older. An agent can be upgraded in place: its jobs run on.';
  return { name: 'version', result: 'warning', detail, advice };
}

/** The worst of them; what is unknown is no worse than fine. */
export function worstOf(checks: readonly AgentCheck[]): Exclude<AgentCheckResult, 'unknown'> {
  const results = new Set(checks.map(({ result }) => result));
  if (results.has('failed')) return 'failed';
  return results.has('warning') ? 'warning' : 'ok';
}

const ABOUT_THE_WAY = ['controlPlane', 'link'];

/** A way to the control plane that is closed is not this machine's fault, and has a code of its own. */
export function exitCodeOfChecks(checks: readonly AgentCheck[]): number {
  const failed = checks.filter(({ result }) => result === 'failed');
  if (failed.length === 0) return EXIT.ok;
  return failed.every(({ name }) => ABOUT_THE_WAY.includes(name)) ? EXIT.unreachable : EXIT.failed;
}
