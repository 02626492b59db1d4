import { Injectable } from '@nestjs/common';
import type { DisconnectReason, ServerToAgentEvents, WorkerId } from '@muster/protocol';

/** One synced agent as the rest of the control plane sees it. */
export interface AgentSession {
  readonly workerId: WorkerId;
  /** The number of this start of the agent. */
  readonly session: number;
  send<Name extends keyof ServerToAgentEvents>(event: Name, ...body: Parameters<ServerToAgentEvents[Name]>): void;
  /** Tells the agent why and closes the transport. May be called many times. */
  close(reason: DisconnectReason, detail?: string): void;
  /** Closes the transport without a word: an older connection of an agent that has already reconnected. */
  drop(): void;
}

/** The agents whose sockets this replica holds, one per worker: those that may be offered work from here. */
@Injectable()
export class AgentSessions {
  private readonly sessions = new Map<WorkerId, AgentSession>();
  private heard = new Set<AgentSession>();

  get size(): number {
    return this.sessions.size;
  }

  get(workerId: WorkerId): AgentSession | undefined {
    return this.sessions.get(workerId);
  }

  workerIds(): WorkerId[] {
    return [...this.sessions.keys()];
  }

  all(): AgentSession[] {
    return [...this.sessions.values()];
  }

  /** A newer connection of the same worker takes the older one's place; the older is closed. */
  add(session: AgentSession): void {
    const before = this.sessions.get(session.workerId);
    this.sessions.set(session.workerId, session);
    if (!before || before === session) return;
    if (before.session < session.session) before.close('superseded');
    else before.drop();
  }

  /** False when another connection has already taken its place: then the worker is not gone. */
  remove(session: AgentSession): boolean {
    this.heard.delete(session);
    return this.sessions.get(session.workerId) === session && this.sessions.delete(session.workerId);
  }

  /** A beat came in here and was taken: this is where the worker is. */
  hear(session: AgentSession): void {
    if (this.sessions.get(session.workerId) === session) this.heard.add(session);
  }

  /** Those heard since the last call. A connection that is dead and not yet known to be is not among them. */
  takeHeard(): AgentSession[] {
    const heard = [...this.heard];
    this.heard = new Set();
    return heard;
  }
}
