import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AGENT_NAMESPACE, PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import type {
  Ack,
  AgentToServerEvents,
  AttemptCommand,
  AttemptEnd,
  AttemptId,
  AttemptRef,
  Beat,
  DisconnectReason,
  ExecutionReport,
  Hello,
  HelloAck,
  MetricPoint,
  Offer,
  Progress,
  Refuse,
  ServerToAgentEvents,
  StartAck,
  Verdict,
  WorkerId,
} from '@muster/protocol';
import { Server, type Socket } from 'socket.io';
import { FakeLogStore } from './fake-log-store.js';

type EventName = keyof AgentToServerEvents;
type AgentSocket = Socket<AgentToServerEvents, ServerToAgentEvents>;

/** What may go wrong with one message; asked for each. */
export interface Faults {
  /** `request`: it never arrives. `reply`: it is carried out and the answer is lost. */
  readonly drop?: (event: EventName) => 'request' | 'reply' | null;
  /** How long the answer waits. */
  readonly delayMs?: (event: EventName) => number;
}

export interface FakeControlPlaneOptions {
  /** 0, a free one, unless told. */
  readonly port?: number;
  /** Keys that are let in; any unless told. */
  readonly keys?: readonly string[];
  readonly beatIntervalMs?: number;
  readonly workerTimeoutMs?: number;
  /** Not told in the answer to a hello unless given, as by a control plane before 1.1. */
  readonly logChunkBytesMax?: number;
}

/**
 * The far end of an agent's connection: real sockets, the real vocabulary, state in memory. It is honest: what it
 * acknowledges it has, and what it is told twice it counts once. It can be told to lose, delay, disconnect and stop.
 */
export class FakeControlPlane {
  readonly logs = new FakeLogStore();
  readonly hellos: Hello[] = [];
  readonly beats: Beat[] = [];
  readonly starts: AttemptRef[] = [];
  readonly refusals: Refuse[] = [];
  readonly progress: Progress[] = [];
  /** Ends by attempt, each as first accepted. */
  readonly ends = new Map<AttemptId, AttemptEnd>();
  readonly metrics = new Map<AttemptId, { storedLength: number; points: MetricPoint[] }>();
  faults: Faults = {};
  /** How many slots people gave the worker; none unless set. */
  slots: number | undefined;
  /** Decides about a start; grants a lease of five minutes to what has not ended, unless replaced. */
  onStart: (ref: AttemptRef) => StartAck = ({ attemptId }) =>
    this.ends.has(attemptId) ? { kind: 'no', reason: 'superseded' } : { kind: 'go', leaseMs: 300_000 };
  /** What becomes of a reported execution. */
  verdictOn: (report: ExecutionReport) => Verdict = ({ attemptId, epoch, state }) => {
    const ref = { attemptId, epoch };
    return state === 'exited' ? { kind: 'reportEnd', ref } : { kind: 'keep', ref, leaseMs: 300_000, command: null };
  };

  private readonly workerIds = new Map<string, WorkerId>();
  private session = 0;
  private instanceId: string | null = null;
  private http: HttpServer | null = null;
  private io: Server<AgentToServerEvents, ServerToAgentEvents> | null = null;

  private constructor(
    private readonly options: FakeControlPlaneOptions,
    private port: number,
  ) {}

  static async start(options: FakeControlPlaneOptions = {}): Promise<FakeControlPlane> {
    const fake = new FakeControlPlane(options, options.port ?? 0);
    await fake.listen();
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Agents that have said hello on the connection they have now. */
  get connectedCount(): number {
    return this.synced().length;
  }

  /** Takes connections (again), on the port it had before; all it knew it still knows. */
  async listen(): Promise<void> {
    if (this.http) return;
    const http = createServer();
    const io = new Server<AgentToServerEvents, ServerToAgentEvents>(http, {
      transports: ['websocket'],
      maxHttpBufferSize: 1e6,
      perMessageDeflate: false,
      serveClient: false,
    });
    this.http = http;
    this.io = io;
    io.of(AGENT_NAMESPACE).use((socket, next) => next(this.refusalOf(socket.handshake.auth)));
    io.of(AGENT_NAMESPACE).on('connection', (socket) => this.serve(socket));
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (http.address() as AddressInfo).port;
  }

  /** As a killed server: every connection ends, nobody listens any more. */
  async stop(): Promise<void> {
    const { io, http } = this;
    this.io = null;
    this.http = null;
    if (!io || !http) return;
    io.disconnectSockets(true);
    http.closeAllConnections();
    await io.close();
  }

  /** Cuts every connection; agents may come back at once. */
  disconnectAll(): void {
    for (const socket of this.io?.of(AGENT_NAMESPACE).sockets.values() ?? []) socket.conn.close();
  }

  /** Says why, then closes. */
  closeAll(reason: DisconnectReason, detail = 'told by the test'): void {
    for (const socket of this.synced()) close(socket, reason, detail);
  }

  offer(offer: Offer): void {
    for (const socket of this.synced()) socket.emit('attempt:offer', offer);
  }

  command(ref: AttemptRef, command: AttemptCommand): void {
    for (const socket of this.synced()) socket.emit('attempt:command', { ...ref, command });
  }

  withdraw(ref: AttemptRef): void {
    for (const socket of this.synced()) socket.emit('attempt:withdraw', ref);
  }

  private synced(): AgentSocket[] {
    return [...(this.io?.of(AGENT_NAMESPACE).sockets.values() ?? [])].filter(
      (socket) => socket.data['isSynced'] === true,
    );
  }

  private refusalOf(auth: Record<string, unknown>): (Error & { data?: unknown }) | undefined {
    const isKnown = !this.options.keys || this.options.keys.includes(String(auth['key']));
    if (!isKnown) return refusal('unauthenticated', 'No such key.');
    const isSpoken = String(auth['protocolVersion']).split('.')[0] === PROTOCOL_VERSION_TEXT.split('.')[0];
    return isSpoken ? undefined : refusal('protocolVersion', `This control plane speaks ${PROTOCOL_VERSION_TEXT}.`);
  }

  private serve(socket: AgentSocket): void {
    const handlers: { [E in EventName]: (body: Parameters<AgentToServerEvents[E]>[0]) => unknown } = {
      'worker:hello': (body) => this.greet(socket, body),
      'worker:beat': (body) => {
        this.beats.push(body);
        return { beatIntervalMs: this.beatIntervalMs, ...this.slotsGiven(), verdicts: body.executions.map(this.verdictOn) };
      },
      'attempt:start': (body) => {
        this.starts.push(body);
        return this.onStart(body);
      },
      'attempt:refuse': (body) => {
        this.refusals.push(body);
        return {};
      },
      'attempt:end': (body) => {
        if (this.ends.has(body.attemptId)) return { kind: 'repeated' };
        this.ends.set(body.attemptId, body);
        return { kind: 'accepted' };
      },
      'attempt:progress': (body) => {
        this.progress.push(body);
        return {};
      },
      'log:append': (body) => this.logs.append(body),
      'metrics:append': (body) => {
        const stored = this.metrics.get(body.attemptId) ?? { storedLength: 0, points: [] };
        this.metrics.set(body.attemptId, stored);
        if (body.offset === stored.storedLength) {
          stored.storedLength += body.rawLength;
          stored.points.push(...body.points);
        }
        return { storedLength: stored.storedLength };
      },
    };
    socket.onAny((event: EventName, body: unknown, reply: (ack: Ack<unknown>) => void) => {
      // Each name is paired with its own body above; here is the one place where a name comes from outside.
      const handle = handlers[event] as (body: unknown) => unknown;
      this.answer(socket, event, () => handle(body), reply);
    });
  }

  private answer(
    socket: AgentSocket,
    event: EventName,
    handle: () => unknown,
    reply: (ack: Ack<unknown>) => void,
  ): void {
    const dropped = this.faults.drop?.(event) ?? null;
    if (dropped === 'request') return;
    const isAllowed = event === 'worker:hello' || socket.data['isSynced'] === true;
    const ack: Ack<unknown> = isAllowed
      ? { ok: handle() }
      : { error: { code: 'notSynced', detail: 'Say hello first.' } };
    if (dropped === 'reply') return;
    const delayMs = this.faults.delayMs?.(event) ?? 0;
    if (delayMs > 0) setTimeout(() => reply(ack), delayMs);
    else reply(ack);
  }

  private greet(socket: AgentSocket, hello: Hello): HelloAck {
    this.hellos.push(hello);
    if (hello.instanceId !== this.instanceId) {
      for (const other of this.synced()) if (other !== socket) close(other, 'superseded', 'A newer agent came.');
      this.session += 1;
      this.instanceId = hello.instanceId;
    }
    socket.data['isSynced'] = true;
    const workerId = this.workerIds.get(hello.machineId) ?? hello.workerId ?? workerIdOf(this.workerIds.size);
    this.workerIds.set(hello.machineId, workerId);
    const { session, beatIntervalMs } = this;
    const workerTimeoutMs = this.options.workerTimeoutMs ?? 60_000;
    return {
      workerId,
      name: hello.name,
      session,
      beatIntervalMs,
      workerTimeoutMs,
      ...this.slotsGiven(),
      verdicts: hello.executions.map(this.verdictOn),
      ...(this.options.logChunkBytesMax === undefined ? {} : { logChunkBytesMax: this.options.logChunkBytesMax }),
    };
  }

  private slotsGiven(): { slots?: number } {
    return this.slots === undefined ? {} : { slots: this.slots };
  }

  private get beatIntervalMs(): number {
    return this.options.beatIntervalMs ?? 10_000;
  }
}

function workerIdOf(index: number): WorkerId {
  return `wkr_${String(index).padStart(26, '0')}` as WorkerId;
}

function refusal(reason: DisconnectReason, detail: string): Error {
  return Object.assign(new Error(detail), { data: { reason, detail } });
}

function close(socket: AgentSocket, reason: DisconnectReason, detail: string): void {
  socket.emit('worker:closing', { reason, detail });
  socket.disconnect(true);
}
