import { Inject, Injectable } from '@nestjs/common';
import type { AttemptCommand, AttemptRef, DisconnectReason, WorkerId } from '@muster/protocol';
import { GroupCommitLane, type Logger } from '@muster/runtime';
import { Announcements, type Announcement } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER, REPLICA_ID } from '../core.module.js';
import { Database } from '../database/database.js';
import { Listener } from '../database/listener.js';
import { sql } from '../database/sql.js';
import { Fleet } from './fleet.js';

/** Something to say to an agent whose socket another replica may hold. */
export type AgentNotice =
  | { readonly kind: 'command'; readonly workerId: WorkerId; readonly ref: AttemptRef; readonly command: AttemptCommand }
  | { readonly kind: 'withdraw'; readonly workerId: WorkerId; readonly ref: AttemptRef }
  | { readonly kind: 'closeSession'; readonly workerId: WorkerId; readonly session: number; readonly reason: DisconnectReason };
type Said = { readonly announcement: Announcement } | { readonly notice: AgentNotice };

const CHANNEL = 'muster';
/** PostgreSQL refuses payloads of 8,000 bytes. */
const PAYLOAD_BYTES_MAX = 7_500;
const NOTIFY = sql`select pg_notify('muster', payload) from unnest($1::text[]) as payload`;

/**
 * What replicas tell one another, through `NOTIFY`: announcements, and notices for agents connected elsewhere. While one
 * message is on its way the next ones collect, and repeated ones collapse. A replica that is alone says nothing. All of
 * it may be lost: polls and beats carry the truth.
 */
@Injectable()
export class ReplicaChannel {
  private readonly lane: GroupCommitLane<Said, undefined>;
  private readonly listener: Listener;
  private deliverNotice: (notice: AgentNotice) => void = () => undefined;

  constructor(
    private readonly database: Database,
    private readonly announcements: Announcements,
    private readonly fleet: Fleet,
    @Inject(REPLICA_ID) private readonly replicaId: string,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(CONFIG) config: ControlPlaneConfig,
  ) {
    this.lane = new GroupCommitLane({ name: 'notify', maxBatch: 500, isItemFault: () => false, run: (said) => this.send(said) });
    this.listener = new Listener({
      url: config.databaseUrl,
      channel: CHANNEL,
      log,
      onMessage: (payload) => this.hear(payload),
      onConnected: () => announcements.tell('announcements:missed', {}),
    });
  }

  /** @param deliverNotice told what other replicas want said to agents; ignores those it does not hold */
  start(deliverNotice: (notice: AgentNotice) => void): void {
    this.deliverNotice = deliverNotice;
    this.announcements.relayTo((announcement) => this.say({ announcement }));
    this.listener.start();
  }

  tellOthers(notice: AgentNotice): void {
    this.say({ notice });
  }

  async stop(): Promise<void> {
    this.announcements.relayTo(() => undefined);
    await this.lane.close();
    await this.listener.stop();
  }

  private say(said: Said): void {
    if (!this.fleet.hasOtherReplicas) return;
    this.lane.submit(said).catch((error: unknown) => this.log.debug({ err: error }, 'other replicas not told'));
  }

  private async send(said: readonly Said[]): Promise<undefined[]> {
    const texts = new Set<string>();
    // Of equal messages the last one counts: a log that grew ten times grew once, to its last length.
    const latest = new Map(said.map((one) => [keyOf(one), one]));
    let text = '';
    for (const one of latest.values()) {
      const part = JSON.stringify(one);
      if (text !== '' && Buffer.byteLength(text) + Buffer.byteLength(part) > PAYLOAD_BYTES_MAX) {
        texts.add(this.payload(text));
        text = '';
      }
      text = text === '' ? part : `${text},${part}`;
    }
    texts.add(this.payload(text));
    await this.database.execute(NOTIFY, [[...texts].filter((payload) => Buffer.byteLength(payload) < 8_000)]);
    return said.map(() => undefined);
  }

  private payload(parts: string): string {
    return `{"from":${JSON.stringify(this.replicaId)},"said":[${parts}]}`;
  }

  private hear(payload: string): void {
    try {
      const message = JSON.parse(payload) as { from: string; said: Said[] };
      if (message.from === this.replicaId) return;
      for (const said of message.said) {
        if ('announcement' in said) this.announcements.tell(said.announcement.name, said.announcement.body);
        else this.deliverNotice(said.notice);
      }
    } catch (error) {
      this.log.warn({ err: error }, 'unreadable message from another replica');
    }
  }
}

function keyOf(said: Said): string {
  if ('notice' in said) return JSON.stringify(said.notice);
  const { name, body } = said.announcement;
  if (name === 'log:appended') return `${name} ${body.logId} ${body.stream}`;
  return name === 'job:changed' ? `${name} ${body.jobId}` : `${name} ${JSON.stringify(body)}`;
}
