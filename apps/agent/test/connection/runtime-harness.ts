import type { RecoveredExecution } from '@muster/domain';
import type { Ack, BeatAck, EndAck, Hello, HelloAck, WorkerId } from '@muster/protocol';
import { createLogger, createSystemClock } from '@muster/runtime';
import { AgentRuntime, type AgentRuntimeOptions } from '../../src/connection/agent-runtime.js';
import type { LinkListener } from '../../src/connection/control-plane-link.js';
import type { ExecutionEffect, Happening } from '../../src/connection/execution-bridge.js';
import { neverRan } from '../../src/connection/execution-map.js';
import type { AnswerOf, BodyOf, RequestName } from '../../src/connection/server-messages.js';
import type { ProcessCapabilities } from '../../src/execution/execution-types.js';
import { anOffer } from './agent-process.js';

export type Sent = { readonly [E in RequestName]: { readonly event: E; readonly body: BodyOf<E> } }[RequestName];

export const CAPABILITIES: ProcessCapabilities = {
  containment: { default: 'group', available: ['group'], notes: [] },
  limits: { runSeconds: 'sampled', silenceSeconds: 'sampled', memoryMb: 'sampled', cpus: 'none', logBytes: 'sampled' },
  signalKnown: true,
  runKinds: ['command', 'shell'],
};

const HELLO: Omit<Hello, 'session' | 'executions'> = {
  protocolVersion: '1.0',
  agentVersion: '0',
  machineId: 'machine',
  instanceId: 'one',
  bootId: 'boot',
  name: 'one',
  slots: 4,
  inventory: {
    ...CAPABILITIES,
    hostname: 'one',
    platform: 'linux',
    arch: 'x64',
    osRelease: '',
    cpuModel: '',
    cpuCores: 1,
    memoryMb: 1,
    diskMb: null,
    gpus: [],
    capability: 'cpu',
    contentTypes: [],
    labels: {},
  },
};

/** A runtime between a control plane and a process side that do and say what a test wants. */
export class RuntimeHarness {
  readonly sent: Sent[] = [];
  readonly effects: ExecutionEffect[] = [];
  /** Numbers of slots that people gave, in their order. */
  readonly slotsGiven: number[] = [];
  recovered: Promise<readonly RecoveredExecution[]> = Promise.resolve([]);
  beatAck: BeatAck = { beatIntervalMs: 100, verdicts: [] };
  onEnd: (end: BodyOf<'attempt:end'>) => Ack<EndAck> = () => ({ ok: { kind: 'accepted' } });
  onEffect: (effect: ExecutionEffect) => Promise<void> = () => Promise.resolve();
  catchUps = 0;
  tell: (happening: Happening) => void = () => undefined;
  private listener: LinkListener | null = null;
  readonly runtime: AgentRuntime;

  constructor() {
    const options: AgentRuntimeOptions = {
      link: {
        start: (listener) => {
          this.listener = listener;
        },
        stop: () => (this.listener = null),
        reconnect: () => undefined,
        confirm: () => undefined,
        request: (event, body) => this.request(event, body),
      },
      uplink: { greeted: () => undefined, setUp: () => undefined },
      bridge: {
        recover: () => this.recovered,
        listen: (tell) => (this.tell = tell),
        catchUp: () => (this.catchUps += 1),
        carryOut: (effect) => {
          this.effects.push(effect);
          return this.onEffect(effect);
        },
      },
      greeter: {
        identity: { workerId: null, instanceId: 'one', keepWorkerId: () => Promise.resolve() },
        inventory: { sample: () => null },
        facts: { slots: 4 },
        hello: ({ session, executions }) => Promise.resolve({ ...HELLO, session, executions }),
      },
      disk: { start: () => Promise.resolve(), stop: () => undefined, isFull: false },
      executions: {
        capabilities: CAPABILITIES,
        slots: () => ({ total: 4, free: 4, quarantined: 0 }),
        setSlots: (slots) => void this.slotsGiven.push(slots),
      },
      clock: createSystemClock(),
      logger: createLogger({ name: 'agent', level: 'silent' }),
    };
    this.runtime = new AgentRuntime(options);
  }

  /** The socket is open; what follows is the runtime's. */
  connect(): void {
    this.listener?.connected();
  }

  bodies<E extends RequestName>(event: E): BodyOf<E>[] {
    return this.sent.filter((sent) => sent.event === event).map((sent) => sent.body as BodyOf<E>);
  }

  private request<E extends RequestName>(event: E, body: BodyOf<E>): Promise<Ack<AnswerOf<E>>> {
    const sent = { event, body } as Sent;
    this.sent.push(sent);
    const answer: unknown = this.answerTo(sent);
    return Promise.resolve(answer as Ack<AnswerOf<E>>);
  }

  private answerTo(sent: Sent): unknown {
    switch (sent.event) {
      case 'worker:hello':
        return { ok: this.welcome };
      case 'worker:beat':
        return { ok: this.beatAck };
      case 'attempt:end':
        return this.onEnd(sent.body);
      default:
        return { ok: {} };
    }
  }

  private get welcome(): HelloAck {
    const workerId = `wkr_${'0'.repeat(26)}` as WorkerId;
    return { workerId, name: 'one', session: 1, beatIntervalMs: 100, workerTimeoutMs: 60_000, verdicts: [] };
  }
}

/** Found by the start of an agent, in the state given. */
export function aRecovered(given: Partial<RecoveredExecution> = {}): RecoveredExecution {
  const { attemptId, epoch, jobId, spec } = anOffer('true');
  return {
    executionId: attemptId,
    ref: { attemptId, epoch },
    jobId,
    number: 1,
    spec,
    gpus: [],
    offerTtlMs: 0,
    state: 'running',
    end: null,
    stop: null,
    deadlineMs: null,
    isLogDone: false,
    ...given,
  };
}

/** An end with everything that a control plane may refuse. */
export const anEnd = (detail: string | null, result?: unknown) => ({
  ...neverRan('spawnFailed', '', 'group'),
  detail,
  result,
});
