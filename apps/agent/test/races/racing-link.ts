/** The connection, in which every message and every answer arrives when the scheduler lets it, or never. */
import type { Ack } from '@muster/protocol';
import type { AgentRuntimeOptions } from '../../src/connection/agent-runtime.js';
import { NoAnswer, type LinkListener, type ServerMessage } from '../../src/connection/control-plane-link.js';
import type { AnswerOf, BodyOf, RequestName } from '../../src/connection/server-messages.js';
import type { Track } from './track.js';

export type Link = AgentRuntimeOptions['link'];
type Handle = (asked: { readonly event: RequestName; readonly body: unknown }) => Ack<unknown>;

export class RacingLink implements Link {
  private listener: LinkListener | null = null;
  private connection = 0;
  private isConnected = false;
  private readonly waiting = new Set<(error: Error) => void>();
  /** Answers that get lost from now on. */
  answersToLose = 0;

  constructor(
    private readonly track: Track,
    private readonly handle: Handle,
  ) {}

  start(listener: LinkListener): void {
    this.listener = listener;
    void this.connect();
  }

  stop(): void {
    this.listener = null;
    this.drop('stopped');
  }

  confirm(): void {}

  reconnect(reason: string): void {
    if (this.isConnected) this.lose(reason);
  }

  /** The network breaks; another connection comes some time later. */
  lose(reason: string): void {
    if (!this.isConnected) return;
    this.drop(reason);
    this.listener?.disconnected(reason);
    if (this.listener) void this.connect();
  }

  /** Something the control plane says on its own. */
  async push(message: ServerMessage): Promise<void> {
    const { connection } = this;
    await this.track.step(`${message.event} arrives`);
    if (this.isConnected && this.connection === connection) this.listener?.said(message);
  }

  request<E extends RequestName>(event: E, body: BodyOf<E>, timeoutMs: number): Promise<Ack<AnswerOf<E>>> {
    this.track.sent(event, body);
    if (!this.isConnected) return Promise.reject(new NoAnswer(event, 'not connected'));
    return new Promise((resolve, reject) => {
      const give = (act: () => void): void => {
        if (!this.waiting.delete(fail)) return;
        clearTimeout(timer);
        act();
      };
      const fail = (error: Error): void => give(() => reject(error));
      const timer = setTimeout(() => fail(new NoAnswer(event, 'too late')), timeoutMs);
      this.waiting.add(fail);
      const take = (answer: Ack<unknown>): void => {
        this.track.answered(event, body, answer);
        resolve(answer as Ack<AnswerOf<E>>);
      };
      void this.carry(event, body, (answer) => give(() => take(answer)));
    });
  }

  private async carry(event: RequestName, body: unknown, give: (answer: Ack<unknown>) => void): Promise<void> {
    const { connection } = this;
    await this.track.step(`${event} arrives`);
    if (!this.isConnected || this.connection !== connection) return;
    const answer = this.handle({ event, body });
    const isLost = this.answersToLose > 0;
    if (isLost) this.answersToLose -= 1;
    await this.track.step(`${event} ${isLost ? 'stays unanswered' : 'is answered'}`);
    if (isLost || !this.isConnected || this.connection !== connection) return;
    give(answer);
  }

  private async connect(): Promise<void> {
    await this.track.step('connects');
    if (!this.listener || this.isConnected) return;
    this.isConnected = true;
    this.connection += 1;
    this.listener.connected();
  }

  private drop(reason: string): void {
    this.isConnected = false;
    for (const fail of [...this.waiting]) fail(new NoAnswer('request', reason));
  }
}
