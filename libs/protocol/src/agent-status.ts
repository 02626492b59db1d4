/** What an agent says of itself to people at its machine: on its status page, and to `muster agent`. */
import type { AttemptId, JobId, WorkerId } from './ids.js';
import type { Inventory, WorkerFault, WorkerSample } from './worker.js';

export const AGENT_CHECK_RESULTS = ['ok', 'warning', 'failed', 'unknown'] as const;
/** `warning`: jobs run, but less well or less surely than they could. `failed`: something a job needs does not work. */
export type AgentCheckResult = (typeof AGENT_CHECK_RESULTS)[number];

/** One thing that was looked at. */
export interface AgentCheck {
  /** Stable word for programs, such as `disk`. */
  readonly name: string;
  readonly result: AgentCheckResult;
  /** A sentence with the values found. */
  readonly detail: string;
  /** What to do about it; null where nothing has to be done. */
  readonly advice: string | null;
}

/** `GET /status` of the agent's loopback port. No secrets: every user of the machine may read it. */
export interface AgentStatusView {
  readonly program: 'muster-agent';
  readonly pid: number;
  readonly name: string;
  readonly version: string;
  readonly protocolVersion: string;
  /** Null before the first contact. */
  readonly workerId: WorkerId | null;
  readonly url: string;
  readonly stateDir: string;
  /** `online` from the answer to a hello until the connection ends. */
  readonly status: 'online' | 'offline';
  /** `waiting`: the next try to connect is at `nextTryAt`, because of `lastFailure`. */
  readonly link: { readonly state: string; readonly nextTryAt?: string; readonly lastFailure?: string };
  /** When the control plane last took a beat. */
  readonly lastBeatAt: string | null;
  /** `detaching`, `stoppingJobs`, `removed`: the agent is ending. */
  readonly mode: string;
  readonly slots: { readonly total: number; readonly free: number; readonly quarantined: number };
  /** As told in the last hello; null before the machine was looked at for the first time. */
  readonly inventory: Inventory | null;
  readonly containment: Inventory['containment'];
  /** The newest look at the machine. */
  readonly sample: WorkerSample | null;
  readonly faults: readonly WorkerFault[];
  readonly checks: readonly AgentCheck[];
  /** Why offers are declined now, whatever they are. */
  readonly objection: string | null;
  readonly executions: readonly { readonly attemptId: AttemptId; readonly jobId: JobId; readonly name: string; readonly phase: string }[];
  /** Bytes of logs sent and not yet acknowledged. */
  readonly logBytesInFlight: number;
}

/** What the agent's program prints when it is started with the word `doctor`: one line of JSON. It connects to nobody. */
export interface AgentDoctorView {
  readonly version: string;
  readonly stateDir: string | null;
  /** Where it would connect to; null where the settings do not say. */
  readonly url: string | null;
  readonly checks: readonly AgentCheck[];
}
