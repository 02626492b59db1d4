// One agent of the product, as it connects, beats, takes offers and comes back: its own compiled code (apps/agent/src/connection and
// what that stands on). Only what runs processes and looks at the machine is replaced (far-end.mjs).
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { newInstanceId } from '@muster/domain';
import { createSystemClock } from '@muster/runtime';
import { ROOT } from '../../lib/root.mjs';
import { machineWith, NO_LOGS, ProcesslessExecutions } from './far-end.mjs';

const compiled = (path) => import(pathToFileURL(join(ROOT, 'apps/agent/dist', path)).href);
const { AgentRuntime } = await compiled('connection/agent-runtime.js');
const { ControlPlaneLink } = await compiled('connection/control-plane-link.js');
const { DiskGuard } = await compiled('connection/disk-guard.js');
const { ExecutionBridge } = await compiled('connection/execution-bridge.js');
const { Greeter } = await compiled('connection/greeter.js');
const { SyncedUplink } = await compiled('connection/synced-uplink.js');

/** As the defaults of MUSTER_AGENT_CONNECT_TIMEOUT, _RETRY_INTERVAL and _RETRY_MAX. */
const LINK = { connectTimeoutMs: 10_000, retryIntervalMs: 1_000, retryMaxMs: 30_000 };
const BOOT_ID = 'bench';

/** The link, and how long what it asked took to be answered. */
class TimedLink extends ControlPlaneLink {
  #seen;

  constructor(options, seen) {
    super(options);
    this.#seen = seen;
  }

  async request(event, body, timeoutMs) {
    const { record, wallNow } = this.#seen;
    const began = performance.now();
    try {
      const answer = await super.request(event, body, timeoutMs);
      const tookMs = performance.now() - began;
      if ('error' in answer) record().failed(`${event}: ${answer.error.code}`);
      else if (event === 'worker:beat') record().beatMs.push(tookMs);
      else if (event === 'worker:hello') {
        record().helloMs.push(tookMs);
        record().helloAt.push(wallNow());
      } else if (event === 'attempt:end') record().endedAt.push(wallNow());
      return answer;
    } catch (error) {
      record().failed(`${event}: no answer`);
      throw error;
    }
  }
}

export class RealAgent {
  #runtime;
  #executions;

  /**
   * @param {{ url: string, key: string, name: string, slots: number, labels?: Record<string, string>, retry?: { baseMs: number, maxMs: number } }} options
   * @param {() => import('./raw-agent.mjs').Record} record where to write what is seen
   * @param {() => number} wallNow
   */
  constructor({ url, key, name, slots, labels = {}, retry }, record, wallNow) {
    const clock = createSystemClock();
    const machine = machineWith(labels);
    const logger = loggerTo(record);
    const times = retry ? { ...LINK, retryIntervalMs: retry.baseMs, retryMaxMs: retry.maxMs } : LINK;
    const link = new TimedLink({ ...times, url, key: () => key, clock, logger }, { record, wallNow });
    const onAccepted = () => record().offerAt.push(wallNow());
    const executions = new ProcesslessExecutions({ slots, capabilities: machine.capabilities, onAccepted });
    const uplink = new SyncedUplink(link);
    const ships = { executions, logs: NO_LOGS, metrics: NO_LOGS, progress: NO_LOGS };
    const bridge = new ExecutionBridge({ ...ships, clock, logger });
    const greeter = new Greeter(newIdentity(), machine, { name, slots, agentVersion: '0.0.0-bench', bootId: BOOT_ID });
    const disk = new DiskGuard(machine, logger);
    this.#executions = executions;
    this.#runtime = new AgentRuntime({ link, uplink, bridge, greeter, disk, executions, clock, logger });
    void this.#runtime.exit.then(({ reason }) => record().failed(`agent told to end: ${reason ?? 'without a reason'}`));
  }

  get isSynced() {
    return this.#runtime.state?.link === 'synced';
  }

  /** Attempts it holds, running. */
  get heldCount() {
    return this.#executions.list().filter(({ phase }) => phase === 'running').length;
  }

  connect() {
    void this.#runtime.start();
  }

  async leave() {
    await this.#runtime.stop();
  }
}

/** In memory: each of these agents lives once. */
function newIdentity() {
  const identity = {
    machineId: `machine-${randomBytes(8).toString('hex')}`,
    workerId: null,
    instanceId: newInstanceId(1, randomBytes(6).toString('hex')),
    keepWorkerId: async (workerId) => void (identity.workerId = workerId),
  };
  return identity;
}

/** Losses of connections are counted by what they say; nothing is printed. */
function loggerTo(record) {
  const ignore = () => undefined;
  const warn = (fields, message) => {
    if (message === 'connection lost' || message === 'control plane unreachable')
      record().failed(`${message}: ${fields.detail}`);
  };
  return { debug: ignore, info: ignore, warn, error: (_, message) => record().failed(message) };
}
