import { Inject, Injectable } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { AGENT_NAMESPACE, type AgentToServerEvents, type KeyId, type ServerToAgentEvents } from '@muster/protocol';
import type { Clock, Logger } from '@muster/runtime';
import type { DefaultEventsMap, Namespace } from 'socket.io';
import { Announcements } from '../announcements.js';
import { CLOCK, LOGGER } from '../core.module.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import type { Caller } from '../keys/caller.js';
import { AgentDesk } from './agent-desk.js';
import { AgentLink } from './agent-link.js';
import { AgentSessions } from './agent-sessions.js';
import { SocketAuth } from './socket-auth.js';

type AgentNamespace = Namespace<AgentToServerEvents, ServerToAgentEvents, DefaultEventsMap, { caller: Caller }>;

/**
 * The namespace `/agent`. Events are raw handlers with guards written by hand (agent-messages.ts): decorators and pipes
 * cost three times as much per message, and these are most of all messages.
 */
@Injectable()
@WebSocketGateway({ namespace: AGENT_NAMESPACE })
export class AgentGateway implements OnGatewayInit {
  private readonly links = new Set<AgentLink>();
  private isStopping = false;

  constructor(
    private readonly auth: SocketAuth,
    private readonly desk: AgentDesk,
    private readonly sessions: AgentSessions,
    private readonly dispatcher: Dispatcher,
    announcements: Announcements,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    announcements.on('key:revoked', ({ keyId }) => this.closeKeys([keyId]));
  }

  afterInit(namespace: AgentNamespace): void {
    namespace.use((socket, next) => {
      void this.auth.admit(socket.handshake.auth, socket.handshake.address).then((verdict) => {
        if ('caller' in verdict && !this.isStopping) {
          socket.data.caller = verdict.caller;
          return next();
        }
        const refusal = 'refusal' in verdict ? verdict.refusal : { code: 'shuttingDown', detail: '' };
        if (refusal.code !== 'flood') this.log.info({ code: refusal.code, detail: refusal.detail, address: socket.handshake.address }, 'agent refused');
        next(Object.assign(new Error(refusal.detail), { data: refusal }));
        this.auth.closeSoon(socket);
      });
    });
    namespace.on('connection', (socket) => {
      const { desk, sessions, log, clock } = this;
      const link = new AgentLink({ socket, desk, sessions, log, clock, isStopping: () => this.isStopping });
      this.links.add(link);
      socket.once('disconnect', () => this.links.delete(link));
    });
  }

  /** The keys that sockets here were opened with, also of agents that have not said hello. */
  keyIds(): KeyId[] {
    return [...new Set([...this.links].map((link) => link.keyId))];
  }

  /** Mends what is stored of who is connected here; rejects when PostgreSQL is away. */
  keepAttached(): Promise<void> {
    return this.desk.keepAttached();
  }

  closeKeys(keyIds: readonly KeyId[]): void {
    for (const link of this.links) if (keyIds.includes(link.keyId)) link.close('keyRevoked');
  }

  /** Sends every agent to another replica, or to wait for this one; what was taken before is still answered. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.dispatcher.stop();
    await this.desk.close();
    for (const link of this.links) link.close('shuttingDown');
  }
}
