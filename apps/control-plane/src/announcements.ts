import type { AttemptId, JobId, JobStatus, KeyId, LogStream, WorkerId } from '@muster/protocol';
import type { Logger } from '@muster/runtime';

/**
 * What features tell each other. Announced after the commit, in this process and, through `NOTIFY`, in every other
 * replica. At most once: whoever depends on one also polls.
 */
export interface AnnouncementMap {
  /** The job's row changed: status, reason, attempt or result. */
  'job:changed': { readonly jobId: JobId; readonly status: JobStatus };
  /** Bytes were stored; `storedLength` is the new end of the stream. Later ones of the same stream replace earlier ones. */
  'log:appended': { readonly logId: AttemptId; readonly stream: LogStream; readonly storedLength: number };
  /** A worker's link, inventory or slots changed. */
  'worker:changed': { readonly workerId: WorkerId };
  /** A key was revoked: its sockets close now. */
  'key:revoked': { readonly keyId: KeyId };
  /** A key got a new secret: those before end with their overlap. */
  'key:rotated': { readonly keyId: KeyId };
  /** Jobs came in line. */
  'dispatch:queued': Record<string, never>;
  /** A worker may have a free slot. */
  'dispatch:room': Record<string, never>;
  /** A job began to wait out its backoff. */
  'dispatch:backoff': Record<string, never>;
  /** The connection that hears other replicas came back: anything may have been missed. */
  'announcements:missed': Record<string, never>;
}
export type AnnouncementName = keyof AnnouncementMap;
export type Announcement = { [N in AnnouncementName]: { readonly name: N; readonly body: AnnouncementMap[N] } }[AnnouncementName];
type Listeners = { [N in AnnouncementName]: Set<(body: AnnouncementMap[N]) => void> };

/** Hears every announcement made in this process; `ReplicaChannel` passes them on to the others. */
export type Relay = (announcement: Announcement) => void;

export class Announcements {
  private readonly listeners: Listeners = {
    'job:changed': new Set(),
    'log:appended': new Set(),
    'worker:changed': new Set(),
    'key:revoked': new Set(),
    'key:rotated': new Set(),
    'dispatch:queued': new Set(),
    'dispatch:room': new Set(),
    'dispatch:backoff': new Set(),
    'announcements:missed': new Set(),
  };
  private relay: Relay | undefined;

  constructor(private readonly log: Logger) {}

  /** Returns the function that ends the listening. A listener that throws is logged and harms nobody. */
  on<N extends AnnouncementName>(name: N, listener: (body: AnnouncementMap[N]) => void): () => void {
    this.listeners[name].add(listener);
    return () => this.listeners[name].delete(listener);
  }

  /** Tells this process at once and the other replicas soon. Call it after the commit. */
  announce<N extends AnnouncementName>(name: N, body: AnnouncementMap[N]): void {
    this.tell(name, body);
    this.relay?.({ name, body } as Announcement);
  }

  /** Tells this process only: what another replica announced, or what concerns nobody else. */
  tell<N extends AnnouncementName>(name: N, body: AnnouncementMap[N]): void {
    for (const listener of [...this.listeners[name]]) {
      try {
        listener(body);
      } catch (error) {
        this.log.error({ err: error, announcement: name }, 'listener failed');
      }
    }
  }

  relayTo(relay: Relay): void {
    this.relay = relay;
  }
}
