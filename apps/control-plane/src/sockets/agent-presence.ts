import { Injectable } from '@nestjs/common';
import type { Hello, HelloAck, WorkerId } from '@muster/protocol';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { WorkerDesk, type Answer, type Sender } from '../worker-life/worker-desk.js';
import { WorkerRegistry, type WorkerKey } from '../workers/worker-registry.js';
import { AgentSessions } from './agent-sessions.js';

/** Which replica holds whose socket: what only agents have, and by which this replica may offer them work. */
@Injectable()
export class AgentPresence {
  constructor(
    private readonly desk: WorkerDesk,
    private readonly registry: WorkerRegistry,
    private readonly sessions: AgentSessions,
    private readonly dispatcher: Dispatcher,
  ) {}

  /**
   * Registers the machine, rules on everything it holds, and makes it this replica's to offer work to.
   *
   * @param mayStillCount throws when the hello has become too old to be ruled on; asked with the rows locked
   */
  async greet(key: WorkerKey, hello: Hello, mayStillCount: () => void): Answer<HelloAck> {
    const ack = await this.desk.hello(key, hello, mayStillCount);
    if (!('kind' in ack)) await this.registry.attach(ack.workerId, ack.session);
    return ack;
  }

  /** The agent was greeted and its socket is here now: what it missed while it was away is said, and it may be offered work. */
  async arrived(workerId: WorkerId): Promise<void> {
    await this.dispatcher.offerAgain(workerId);
  }

  /**
   * The socket of this sender closed here. A newer one, opened while this was being stored, keeps the worker here; a newer
   * start of the agent, which may not be here yet but was greeted, is not gone because its predecessor is.
   */
  async leave({ workerId, session }: Sender): Promise<void> {
    if (!(await this.registry.detach(workerId, session))) return;
    const newer = this.sessions.get(workerId);
    if (newer) await this.registry.attach(workerId, newer.session);
    else await this.registry.markClosed(workerId);
  }

  /**
   * Says again of every worker heard here lately that it is here. Connections that begin and end while PostgreSQL is slow,
   * here and elsewhere, may be stored in any order; without this a worker that beats could be nobody's to offer work to.
   */
  async keepAttached(): Promise<void> {
    const heard = this.sessions.takeHeard();
    if (heard.length > 0 && (await this.registry.attachAll(heard)) > 0) this.dispatcher.wake();
  }
}
