import { AGENT_NAMESPACE, PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import type { Ack, AgentHandshake, DisconnectReason, ServerToAgentEvents } from '@muster/protocol';
import { Backoff, type Clock } from '@muster/runtime';
import { io, type Socket } from 'socket.io-client';
import { GatheringTransport } from './gathering-transport.js';
import { decodeAck, SERVER_MESSAGES, toDisconnectReason } from './server-messages.js';
import type { AnswerOf, BodyOf, RequestName } from './server-messages.js';

export interface LinkOptions {
  readonly url: string;
  /** Asked for each connection. */
  readonly key: () => string;
  readonly connectTimeoutMs: number;
  readonly retryIntervalMs: number;
  readonly retryMaxMs: number;
  readonly clock: Clock;
  readonly logger: LinkLogger;
  readonly random?: () => number;
}

export interface LinkLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

/** Something the control plane said that has the agreed shape. */
export type ServerMessage = {
  [E in keyof ServerToAgentEvents]: { readonly event: E; readonly body: Parameters<ServerToAgentEvents[E]>[0] };
}[keyof ServerToAgentEvents];

export interface LinkListener {
  /** A socket is open; the control plane expects a hello. */
  connected(): void;
  disconnected(detail: string): void;
  /** The control plane will not have this agent, and says why. */
  refused(reason: DisconnectReason, detail: string): void;
  /** Something it said that has the agreed shape. What has not is logged and dropped. */
  said(message: ServerMessage): void;
}

/** No answer can come any more: there is no connection, or it ended, or the time is over. What was asked may have been done. */
export class NoAnswer extends Error {
  constructor(event: string, why: string) {
    super(`${event} was not answered: ${why}`);
    this.name = 'NoAnswer';
  }
}

export type LinkStatus =
  | { readonly state: 'stopped' | 'connecting' | 'connected' }
  | { readonly state: 'waiting'; readonly nextTryAt: string; readonly lastFailure: string };

/**
 * The agent's one connection. It is opened again for ever, with full jitter, each time as a new socket, so that nothing of
 * an old connection can be mistaken for the present one.
 *
 * ```
 *  start ──> connecting ──> connected ──┐
 *               ^  └────────────────────┴──> waiting (jitter) ──> connecting …
 * ```
 */
export class ControlPlaneLink {
  private readonly backoff: Backoff;
  private listener: LinkListener | null = null;
  private socket: Socket | null = null;
  private timer: NodeJS.Timeout | null = null;
  private current: LinkStatus = { state: 'stopped' };

  constructor(private readonly options: LinkOptions) {
    const { retryIntervalMs, retryMaxMs } = options;
    // Not at once: a server that closes connections as they come is not hammered.
    const minMs = Math.min(100, retryIntervalMs);
    this.backoff = new Backoff({ baseMs: retryIntervalMs, maxMs: retryMaxMs, minMs }, options.random);
  }

  get status(): LinkStatus {
    return this.current;
  }

  start(listener: LinkListener): void {
    this.listener = listener;
    this.connect();
  }

  /** The connection proved useful: the next failure waits shortly again. */
  confirm(): void {
    this.backoff.reset();
  }

  /** Drops the connection and tries again after the usual pause. */
  reconnect(reason: string): void {
    if (this.socket) this.lost(this.socket, reason);
  }

  /** Ends for good. Requests under way are not answered. */
  stop(): void {
    this.listener = null;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.release();
    this.current = { state: 'stopped' };
  }

  /**
   * Asks and resolves with the decoded acknowledgement, a refusal of the message included.
   *
   * @throws NoAnswer, BadShape
   */
  async request<E extends RequestName>(event: E, body: BodyOf<E>, timeoutMs: number): Promise<Ack<AnswerOf<E>>> {
    const socket = this.socket;
    if (!socket?.connected) throw new NoAnswer(event, 'not connected');
    let answer: unknown;
    try {
      answer = await socket.timeout(timeoutMs).emitWithAck(event, body);
    } catch (error) {
      throw new NoAnswer(event, error instanceof Error ? error.message : String(error));
    }
    return decodeAck(event, answer);
  }

  private connect(): void {
    const { url, key, connectTimeoutMs } = this.options;
    const auth: AgentHandshake = { key: key(), protocolVersion: PROTOCOL_VERSION_TEXT };
    const socket = io(new URL(AGENT_NAMESPACE, url).href, {
      transports: [GatheringTransport],
      reconnection: false,
      forceNew: true,
      timeout: connectTimeoutMs,
      auth,
    });
    this.socket = socket;
    this.current = { state: 'connecting' };
    socket.on('connect', () => {
      this.current = { state: 'connected' };
      this.listener?.connected();
    });
    socket.on('connect_error', (error) => this.failed(socket, error));
    socket.on('disconnect', (reason) => this.lost(socket, reason));
    socket.onAny((event: string, body: unknown) => this.heard(event, body));
  }

  private heard(event: string, body: unknown): void {
    if (!isServerMessage(event)) return this.options.logger.warn({ event }, 'message unknown');
    try {
      const decoded = SERVER_MESSAGES[event](body, '');
      this.listener?.said({ event, body: decoded } as ServerMessage);
    } catch (error) {
      this.options.logger.warn({ err: error, event }, 'message refused');
    }
  }

  private failed(socket: Socket, error: Error): void {
    const { reason, detail } = toFailure(error);
    this.lost(socket, detail);
    if (reason) this.listener?.refused(reason, detail);
  }

  private lost(socket: Socket, detail: string): void {
    if (socket !== this.socket) return;
    const wasConnected = this.current.state === 'connected';
    this.release();
    if (!this.listener) return;
    const delayMs = this.backoff.nextDelayMs();
    const nextTryAt = new Date(this.options.clock.nowMs() + delayMs).toISOString();
    this.current = { state: 'waiting', nextTryAt, lastFailure: detail };
    this.timer = setTimeout(() => this.connect(), delayMs);
    const fields = {
      url: this.options.url,
      detail,
      nextTryAt,
      inMs: Math.round(delayMs),
      failures: this.backoff.failures,
    };
    this.options.logger.warn(fields, wasConnected ? 'connection lost' : 'control plane unreachable');
    if (wasConnected) this.listener.disconnected(detail);
  }

  private release(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.offAny();
    socket?.off('connect');
    socket?.off('connect_error');
    socket?.off('disconnect');
    // An answer to a request under way is still refused by the closing itself.
    socket?.disconnect();
  }
}

function isServerMessage(event: string): event is keyof ServerToAgentEvents {
  return Object.hasOwn(SERVER_MESSAGES, event);
}

/** A refusal says why in its data; a gateway in front may refuse with a bare HTTP status. */
function toFailure(error: Error & { data?: unknown; description?: unknown }): {
  reason: DisconnectReason | null;
  detail: string;
} {
  const data = typeof error.data === 'object' && error.data !== null ? error.data : {};
  const told = 'reason' in data ? data.reason : 'code' in data ? data.code : error.message;
  const detail = 'detail' in data && typeof data.detail === 'string' ? data.detail : messageOf(error);
  const isShut = /response: 40[13]\b/.test(detail);
  return { reason: toDisconnectReason(told) ?? (isShut ? 'unauthenticated' : null), detail };
}

/** Socket.IO hides the cause (`ECONNREFUSED`, an HTTP status) one or two levels below "websocket error". */
function messageOf(error: Error & { description?: unknown }): string {
  const { description } = error;
  if (typeof description === 'object' && description !== null && 'message' in description) {
    return String(description.message) || error.message;
  }
  return error.message;
}
