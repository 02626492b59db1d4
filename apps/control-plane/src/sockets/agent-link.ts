import {
  AGENT_TO_SERVER_EVENTS, DISCONNECTS,
  type Ack, type AgentToServerEvents, type BeatAck, type DisconnectReason, type Hello, type HelloAck, type ServerToAgentEvents,
  type WorkerId,
} from '@muster/protocol';
import type { SenderRefused } from '@muster/domain';
import type { Clock, Logger } from '@muster/runtime';
import type { DefaultEventsMap, Socket } from 'socket.io';
import { isDataFault, isUnavailable } from '../database/database-errors.js';
import type { Caller } from '../keys/caller.js';
import type { Credential } from '../keys/credential.js';
import { TooManyWorkers, type Sender, type WorkerDesk } from '../worker-life/worker-desk.js';
import {
  readBeat, readEnd, readHello, readLogChunk, readMetrics, readProgress, readRefuse, readStart, type BeatRead,
} from './agent-messages.js';
import type { AgentPresence } from './agent-presence.js';
import type { AgentSession, AgentSessions } from './agent-sessions.js';
import { EVENT_ACCESS } from './event-access.js';
import { FirstHello, LateFirstHello } from './first-hello.js';
import { Intake, pausableOf } from './intake.js';
import { InvalidMessage } from './invalid-message.js';
import { RoundTrips } from './round-trips.js';
import { versionRefusal } from './socket-auth.js';
import { TokenBucket } from '../token-bucket.js';

export type AgentSocket = Socket<AgentToServerEvents, ServerToAgentEvents, DefaultEventsMap, { caller: Caller }>;

export interface AgentLinkParts {
  readonly socket: AgentSocket;
  readonly desk: WorkerDesk;
  readonly presence: AgentPresence;
  readonly sessions: AgentSessions;
  readonly log: Logger;
  readonly clock: Clock;
  /** True once this replica stops: nothing new is taken. */
  readonly isStopping: () => boolean;
}

type EventName = keyof AgentToServerEvents;
type Reply = (ack: Ack<unknown>) => void;

/** Unanswered messages of one agent; a full window of log chunks of every slot is far below. */
const IN_FLIGHT_MAX = 4_096;
/** Messages that cost a transaction each and have no reason to come often. */
const SELDOM: ReadonlySet<EventName> = new Set(['worker:hello', 'worker:beat', 'attempt:progress']);
const SELDOM_PER_SECOND = 100;
const SELDOM_BURST = 400;
/** Packets waiting for a reader that does not read. */
const UNREAD_MAX = 2_000;

/**
 * One agent's socket. Until its hello is answered it is nobody; then it is the worker's session, until a newer one takes
 * its place or the transport closes.
 *
 * ```
 *  connected ── worker:hello ──> synced ── superseded, revoked, flood, shutting down ──> closed
 * ```
 */
export class AgentLink implements AgentSession {
  /** What the socket was opened with. */
  readonly credential: Credential;
  private readonly caller: Caller;
  private readonly seldom = new TokenBucket(SELDOM_PER_SECOND, SELDOM_BURST, performance.now());
  private readonly intake: Intake;
  private readonly firstHello: FirstHello;
  private readonly roundTrips: RoundTrips;
  private sender: Sender | undefined;
  private machineId: string | undefined;
  private inFlight = 0;
  private unread = 0;
  private isClosed = false;

  constructor(private readonly parts: AgentLinkParts) {
    this.caller = parts.socket.data.caller;
    this.credential = this.caller;
    this.firstHello = new FirstHello(parts.clock);
    this.roundTrips = new RoundTrips(parts.socket.conn);
    this.intake = new Intake(parts.socket.conn, pausableOf(parts.socket.conn.transport));
    this.listen();
  }

  get workerId(): WorkerId {
    if (!this.sender) throw new Error('A link has a worker only after its hello.');
    return this.sender.workerId;
  }

  get session(): number {
    return this.sender?.session ?? 0;
  }

  send<Name extends keyof ServerToAgentEvents>(event: Name, ...body: Parameters<ServerToAgentEvents[Name]>): void {
    const { socket } = this.parts;
    if (this.unread > UNREAD_MAX) this.drop();
    else if (!this.isClosed) socket.emit(event, ...body);
  }

  close(reason: DisconnectReason, detail?: string): void {
    if (this.isClosed) return;
    this.sayClosing(reason, detail);
    this.parts.socket.disconnect(true);
  }

  drop(): void {
    this.isClosed = true;
    this.parts.socket.disconnect(true);
  }

  private listen(): void {
    const { socket, desk } = this.parts;
    this.on('worker:hello', readHello, (hello) => this.hello(hello));
    this.on('worker:beat', readBeat, this.synced((sender, body) => this.beat(sender, body)));
    this.on('attempt:start', readStart, this.synced((sender, body) => desk.start(sender, body)));
    this.on('attempt:refuse', readRefuse, this.synced((sender, body) => desk.refuse(sender, body)));
    this.on('attempt:end', readEnd, this.synced((sender, body) => desk.end(sender, body)));
    this.on('attempt:progress', readProgress, this.synced((sender, body) => desk.progress(sender, body)));
    this.on('log:append', readLogChunk, this.synced((sender, body) => desk.append(sender, body)));
    this.on('metrics:append', readMetrics, this.synced((sender, body) => desk.measure(sender, body)));
    socket.onAny((name: string) => {
      if (!(AGENT_TO_SERVER_EVENTS as readonly string[]).includes(name)) this.close('unknownEvent', `There is no event ${JSON.stringify(name.slice(0, 40))}.`);
    });
    socket.conn.on('packetCreate', () => (this.unread += 1));
    socket.conn.on('drain', () => (this.unread = 0));
    socket.once('disconnect', () => this.left());
  }

  private on<Body>(name: EventName, read: (body: unknown) => Body, handle: (body: Body) => Promise<unknown>): void {
    // Raw: what arrives is unknown, whatever the types of the protocol promise.
    const raw: Socket = this.parts.socket;
    raw.on(name, (body: unknown, reply: unknown) => {
      if (this.isClosed) return;
      if (typeof reply !== 'function') return this.close('invalidMessage', `${name} asks for an acknowledgement.`);
      if (SELDOM.has(name) && !this.seldom.take(performance.now())) return this.close('flood');
      if (this.inFlight >= IN_FLIGHT_MAX) return this.close('flood');
      void this.answer(name, reply as Reply, async () => {
        const message = read(body);
        if (EVENT_ACCESS[name] === 'session' && !this.sender) throw new NotSynced();
        return handle(message);
      });
    });
  }

  private sayClosing(reason: DisconnectReason, detail?: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { socket, log } = this.parts;
    log.info({ reason, detail, ...this.sender }, 'agent socket closed by us');
    socket.emit('worker:closing', { reason, detail: detail ?? DISCONNECTS[reason].sentence });
  }

  private async answer(name: EventName, reply: Reply, work: () => Promise<unknown>): Promise<void> {
    const answered = this.intake.take();
    this.inFlight += 1;
    try {
      const ok = await work();
      if (isSenderRefused(ok)) this.refuse(ok.reason, reply);
      else reply({ ok });
    } catch (error) {
      reply({ error: this.toError(name, error) });
      if (error instanceof TooManyWorkers) this.close('flood', error.message);
    } finally {
      this.inFlight -= 1;
      answered();
    }
  }

  private refuse(reason: SenderRefused['reason'], reply: Reply): void {
    if (reason === 'notSynced') return reply({ error: NOT_SYNCED });
    // Why it is closed comes first: an agent that is answered `superseded` ends as one, and one that was removed stops its jobs.
    this.sayClosing(reason);
    reply({ error: { code: 'superseded', detail: DISCONNECTS[reason].sentence } });
    this.parts.socket.disconnect(true);
  }

  private toError(name: EventName, error: unknown): Extract<Ack<unknown>, { error: unknown }>['error'] {
    if (error instanceof NotSynced) return NOT_SYNCED;
    if (error instanceof InvalidMessage) return { code: 'invalidMessage', detail: error.message };
    if (error instanceof TooManyWorkers) return { code: 'unavailable', detail: error.message };
    if (error instanceof LateFirstHello) return { code: 'unavailable', detail: `${error.message} Connect again.` };
    if (this.parts.isStopping()) return { code: 'shuttingDown', detail: DISCONNECTS.shuttingDown.sentence };
    if (!isUnavailable(error)) this.parts.log.error({ err: error, event: name, ...this.sender }, 'message failed');
    // The lanes have tried it alone. What we failed to check is said as if we had, or it would come again for ever.
    if (isDataFault(error)) return { code: 'invalidMessage', detail: 'A value in it cannot be stored.' };
    return { code: 'unavailable', detail: 'Nothing was acknowledged; send it again.' };
  }

  private synced<Body>(handle: (sender: Sender, body: Body) => Promise<unknown>): (body: Body) => Promise<unknown> {
    return async (body) => {
      if (!this.sender) throw new NotSynced();
      return handle(this.sender, body);
    };
  }

  private async hello(hello: Hello): Promise<HelloAck | SenderRefused> {
    const { presence, sessions, socket } = this.parts;
    const version = versionRefusal(hello.protocolVersion);
    if (version) {
      this.close('protocolVersion', version.detail);
      throw new InvalidMessage('protocolVersion', version.detail);
    }
    const isFirst = !this.sender;
    const mayStillCount = (): void => {
      if (isFirst) this.firstHello.check();
    };
    mayStillCount();
    this.refuseSecondIdentity(hello);
    const ack = await presence.greet({ ...this.caller, address: socket.handshake.address }, hello, mayStillCount);
    if ('kind' in ack) return ack;
    // Two hellos at once may have been answered with two workers; whoever is here under the older name is not any more.
    if (this.sender && this.sender.workerId !== ack.workerId) sessions.remove(this);
    this.sender = { workerId: ack.workerId, session: ack.session };
    // It may have gone while it was being registered. Then nothing is undone: another connection of the same worker may
    // have been registered since, and if none was, the sweeper notices the silence.
    if (this.isClosed || !socket.connected) return ack;
    sessions.add(this);
    presence.arrived(ack.workerId).catch(() => undefined);
    return ack;
  }

  /** A connection speaks for one machine, or the sessions and offers of others would be led to it. */
  private refuseSecondIdentity(hello: Hello): void {
    this.machineId ??= hello.machineId;
    const isSame = hello.machineId === this.machineId && (!this.sender || !hello.workerId || hello.workerId === this.sender.workerId);
    if (isSame) return;
    const detail = 'This connection said hello as another worker before.';
    this.close('invalidMessage', detail);
    throw new InvalidMessage('machineId', detail);
  }

  private async beat(sender: Sender, { sampleRefused, ...beat }: BeatRead): Promise<BeatAck | SenderRefused> {
    const answer = await this.parts.desk.beat(sender, beat, this.roundTrips.medianMs);
    if (isSenderRefused(answer)) return answer;
    this.parts.sessions.hear(this);
    return sampleRefused === undefined ? answer : { ...answer, sampleRefused };
  }

  private left(): void {
    this.isClosed = true;
    if (!this.sender || !this.parts.sessions.remove(this) || this.parts.isStopping()) return;
    // While PostgreSQL is away the sweeper will notice the silence instead.
    this.parts.presence.leave(this.sender).catch(() => undefined);
  }
}

class NotSynced extends Error {}

const NOT_SYNCED = { code: 'notSynced', detail: 'Say worker:hello first.' } as const;

function isSenderRefused(value: unknown): value is SenderRefused {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'senderRefused';
}
