import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  AGENT_NAMESPACE, PROTOCOL_VERSION_TEXT,
  type Ack, type AgentToServerEvents, type AttemptCommand, type AttemptEnd, type AttemptRef, type BeatAck, type DisconnectReason,
  type EndAck, type ExecutionReport, type Hello, type HelloAck, type Inventory, type LogAck, type Offer, type ServerToAgentEvents,
  type StartAck, type WorkerId,
} from '@muster/protocol';
import { io, type Socket } from 'socket.io-client';
import { eventually } from './eventually.js';

type EventName = keyof AgentToServerEvents;

export interface FakeAgentOptions {
  /** The control plane, `http://127.0.0.1:…`. */
  readonly url: string;
  /** A `wak_` key. */
  readonly key: string;
  readonly name?: string;
  readonly slots?: number;
  readonly machineId?: string;
  readonly inventory?: Partial<Inventory>;
  readonly protocolVersion?: string;
}

/** What a refused handshake said. */
export interface HandshakeRefused {
  readonly code: string;
  readonly detail: string;
}

const ANSWER_MS = 60_000;

/**
 * An agent that runs nothing: it speaks the real protocol over a real socket and does what a test tells it. It never
 * reconnects by itself, so that a test decides when it is there.
 */
export class FakeAgent {
  /** What was offered and not taken by `nextOffer`, each once for each connection it was said on. */
  readonly offers: Offer[] = [];
  readonly commands: (AttemptRef & { readonly command: AttemptCommand })[] = [];
  readonly withdrawn: AttemptRef[] = [];
  readonly closings: { readonly reason: DisconnectReason; readonly detail: string }[] = [];
  readonly machineId: string;
  instanceId = `instance-${randomBytes(6).toString('hex')}`;
  workerId: WorkerId | undefined;
  session = 0;
  socket: Socket<ServerToAgentEvents, AgentToServerEvents>;

  constructor(readonly options: FakeAgentOptions) {
    this.machineId = options.machineId ?? `machine-${randomBytes(6).toString('hex')}`;
    this.socket = this.createSocket();
  }

  /** Connects and says hello: ready for offers. */
  static async join(options: FakeAgentOptions): Promise<FakeAgent> {
    const agent = new FakeAgent(options);
    await agent.connect();
    await agent.hello();
    return agent;
  }

  /** Resolves when the handshake is accepted. Rejects with what `connect_error` carried. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('connect_error', (error: Error & { data?: HandshakeRefused }) => reject(Object.assign(error, error.data)));
      this.socket.connect();
    });
  }

  /** A new transport, as after a broken connection; the old one is closed. Hello is the test's to say. */
  async reconnect(): Promise<void> {
    this.socket.disconnect();
    this.socket = this.createSocket();
    await this.connect();
  }

  /** As `reconnect` with hello, but as a new start of the agent on the same state directory. */
  async restart(executions: readonly ExecutionReport[] = []): Promise<HelloAck> {
    this.instanceId = `instance-${randomBytes(6).toString('hex')}`;
    this.session = 0;
    await this.reconnect();
    return this.hello(executions);
  }

  leave(): void {
    this.socket.disconnect();
  }

  get isConnected(): boolean {
    return this.socket.connected;
  }

  async hello(executions: readonly ExecutionReport[] = [], changes: Partial<Hello> = {}): Promise<HelloAck> {
    const ack = await this.ask<HelloAck>('worker:hello', { ...this.helloMessage(executions), ...changes });
    this.workerId = ack.workerId;
    this.session = ack.session;
    return ack;
  }

  helloMessage(executions: readonly ExecutionReport[] = []): Hello {
    const { name = 'fake', slots = 2, inventory = {} } = this.options;
    return {
      protocolVersion: PROTOCOL_VERSION_TEXT,
      agentVersion: '0.0.0-fake',
      ...(this.workerId ? { workerId: this.workerId } : {}),
      machineId: this.machineId,
      instanceId: this.instanceId,
      session: this.session,
      bootId: 'boot',
      name,
      slots,
      inventory: anInventory(inventory),
      executions,
    };
  }

  beat(executions: readonly ExecutionReport[] = [], paused = false): Promise<BeatAck> {
    const running = executions.filter((execution) => execution.state !== 'exited').length;
    const slotsFree = Math.max(0, (this.options.slots ?? 2) - running);
    return this.ask('worker:beat', { session: this.session, executions, sample: null, paused, slotsFree });
  }

  start(ref: AttemptRef): Promise<StartAck> {
    return this.ask('attempt:start', { attemptId: ref.attemptId, epoch: ref.epoch });
  }

  end(ref: AttemptRef, changes: Partial<AttemptEnd> = {}): Promise<EndAck> {
    return this.ask('attempt:end', { ...anEnd(ref), ...changes });
  }

  /** Sends bytes of the attempt's output that begin at this offset. */
  log(ref: AttemptRef, offset: number, raw: string | Uint8Array): Promise<LogAck> {
    const bytes = Buffer.from(raw);
    return this.ask('log:append', {
      attemptId: ref.attemptId, epoch: ref.epoch, stream: 'output', offset, rawLength: bytes.length, encoding: 'gzip',
      readAt: new Date().toISOString(), bytes: gzipSync(bytes, { level: 1 }),
    });
  }

  /** The next offer that was not taken yet; taken in the order of arrival. */
  async nextOffer(timeoutMs?: number): Promise<Offer> {
    return eventually(`an offer for ${this.options.name ?? 'fake'}`, () => this.offers.shift(), timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** Sends anything, also what the protocol forbids, and returns the bare acknowledgement. */
  call(event: string, body: unknown): Promise<Ack<unknown>> {
    // What is said here may break every rule, so it goes past the types.
    const socket: Socket = this.socket;
    return socket.timeout(ANSWER_MS).emitWithAck(event, body) as Promise<Ack<unknown>>;
  }

  /** Sends a message and returns what it was answered. Throws when the message itself was refused. */
  async ask<T>(event: EventName, body: unknown): Promise<T> {
    const ack = await this.call(event, body);
    if ('error' in ack) throw Object.assign(new Error(`${event}: ${ack.error.code}: ${ack.error.detail}`), { code: ack.error.code });
    return ack.ok as T;
  }

  private createSocket(): Socket<ServerToAgentEvents, AgentToServerEvents> {
    const { url, key, protocolVersion = PROTOCOL_VERSION_TEXT } = this.options;
    const socket: Socket<ServerToAgentEvents, AgentToServerEvents> = io(`${url}${AGENT_NAMESPACE}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      auth: { key, protocolVersion },
    });
    // One that is granted while its worker comes is said twice. An agent knows it; said on another connection it counts anew.
    const heard = new Set<string>();
    socket.on('attempt:offer', (offer) => {
      if (!heard.has(`${offer.attemptId} ${offer.epoch}`)) this.offers.push(offer);
      heard.add(`${offer.attemptId} ${offer.epoch}`);
    });
    socket.on('attempt:command', (command) => this.commands.push(command));
    socket.on('attempt:withdraw', (ref) => this.withdrawn.push(ref));
    socket.on('worker:closing', (closing) => this.closings.push(closing));
    return socket;
  }
}

/** A worker that takes commands and shells; valid, override one thing. */
export function anInventory(changes: Partial<Inventory> = {}): Inventory {
  return {
    hostname: 'fake-host',
    platform: 'linux',
    arch: 'x64',
    osRelease: '6.1',
    cpuModel: 'Fake CPU',
    cpuCores: 8,
    memoryMb: 16_384,
    diskMb: 100_000,
    gpus: [],
    capability: 'cpu',
    contentTypes: ['document', 'web', 'text'],
    labels: {},
    containment: { default: 'group', available: ['group'], notes: [] },
    limits: { runSeconds: 'hard', silenceSeconds: 'hard', memoryMb: 'sampled', cpus: 'none', logBytes: 'hard' },
    signalKnown: true,
    runKinds: ['command', 'shell'],
    ...changes,
  };
}

/** A success without output. */
export function anEnd(ref: AttemptRef): AttemptEnd {
  return {
    attemptId: ref.attemptId,
    epoch: ref.epoch,
    outcome: 'succeeded',
    exit: { code: 0, signal: null },
    detail: null,
    usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null },
    containment: 'group',
    leftovers: 0,
    logs: {},
    ranMs: 10,
  };
}
