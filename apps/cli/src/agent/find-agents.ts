import { DEFAULT_MONITOR_PORT, type AgentStatusView } from '@muster/protocol';

/** An agent that runs on this machine, and the loopback port it answers on. */
export interface FoundAgent {
  readonly port: number;
  readonly status: AgentStatusView;
}

/** An agent takes the next free port when its own is taken, so several have ports in a row. */
const PORTS_IN_A_ROW = 16;
const PATIENCE_MS = 3_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/** The ports where agents of this machine are looked for: the one that was named, else the usual ones. */
export function portsToAsk(named: number | undefined): readonly number[] {
  if (named !== undefined) return [named];
  return Array.from({ length: PORTS_IN_A_ROW }, (_, at) => DEFAULT_MONITOR_PORT + at);
}

/** Every agent that answers on one of these ports. Whoever else answers there is passed over. */
export async function findAgents(ports: readonly number[], signal: AbortSignal): Promise<FoundAgent[]> {
  const asked = await Promise.all(ports.map((port) => ask(port, signal)));
  signal.throwIfAborted();
  return asked.filter((found) => found !== null);
}

async function ask(port: number, signal: AbortSignal): Promise<FoundAgent | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/status`, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    const text = await response.text();
    const status: unknown = text.length > ANSWER_BYTES_MAX ? null : JSON.parse(text);
    return response.ok && isAgent(status) ? { port, status } : null;
  } catch {
    return null;
  }
}

function isAgent(value: unknown): value is AgentStatusView {
  return typeof value === 'object' && value !== null && 'program' in value && value.program === 'muster-agent';
}
