import { Inject, Injectable } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { AGENT_NAMESPACE, type AgentToServerEvents, type ServerToAgentEvents } from '@muster/protocol';
import type { Clock, Logger } from '@muster/runtime';
import type { DefaultEventsMap, Namespace } from 'socket.io';
import { Announcements } from '../announcements.js';
import { CLOCK, LOGGER } from '../core.module.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import type { Caller } from '../keys/caller.js';
import type { Credential, EndedBy } from '../keys/credential.js';
import { WorkerDesk } from '../worker-life/worker-desk.js';
import { AgentLink } from './agent-link.js';
import { AgentPresence } from './agent-presence.js';
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
  /** Set once sockets are listened to. */
  namespace: AgentNamespace | undefined;

  constructor(
    private readonly auth: SocketAuth,
    private readonly desk: WorkerDesk,
    private readonly presence: AgentPresence,
    private readonly sessions: AgentSessions,
    private readonly dispatcher: Dispatcher,
    announcements: Announcements,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    announcements.on('key:revoked', ({ keyId }) => this.closeEnded((credential) => (credential.keyId === keyId ? 'key' : undefined)));
  }

  afterInit(namespace: AgentNamespace): void {
    this.namespace = namespace;
    this.refuseNamespaceOfNobody(namespace);
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
      const { desk, presence, sessions, log, clock } = this;
      const link = new AgentLink({ socket, desk, presence, sessions, log, clock, isStopping: () => this.isStopping });
      this.links.add(link);
      socket.once('disconnect', () => this.links.delete(link));
    });
  }

  /** Every server has the namespace "/", which would let anybody in and keep the transport open. */
  private refuseNamespaceOfNobody(namespace: AgentNamespace): void {
    namespace.server.use((socket, next) => {
      const refusal = { code: 'unauthenticated', detail: `Agents connect to the namespace ${AGENT_NAMESPACE}.` };
      next(Object.assign(new Error(refusal.detail), { data: refusal }));
      this.auth.closeSoon(socket);
    });
  }

  /** What sockets here were opened with, also those of agents that have not said hello. */
  credentials(): Credential[] {
    return [...this.links].map(({ credential }) => credential);
  }

  /** Mends what is stored of who is connected here; rejects when PostgreSQL is away. */
  keepAttached(): Promise<void> {
    return this.presence.keepAttached();
  }

  /**
   * Closes what was opened with something that works no more. An agent whose key ended is told so, and exits. One that came
   * with a replaced secret is only cut off: it comes back at once, with the new secret if it has been given it.
   */
  closeEnded(ended: (credential: Credential) => EndedBy | undefined): void {
    for (const link of this.links) {
      const by = ended(link.credential);
      if (by === 'key') link.close('keyRevoked');
      else if (by === 'secret') link.drop();
    }
  }

  /** Sends every agent to another replica, or to wait for this one; what was taken before is still answered. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.dispatcher.stop();
    await this.desk.close();
    for (const link of this.links) link.close('shuttingDown');
  }
}
