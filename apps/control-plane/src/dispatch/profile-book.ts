import type { WorkerProfile } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { toWorkerProfile, type ProfileRow } from '../engine/worker-profile.js';
import { PROFILES_READ } from './dispatch.sql.js';

/**
 * Remembers what workers are like, so that choosing among many reads nothing. It only chooses whom to lock: what is granted
 * is matched against the locked rows. Forget a worker when it may have changed.
 */
export class ProfileBook {
  private readonly profiles = new Map<WorkerId, WorkerProfile>();

  async read(connection: Connection, ids: readonly WorkerId[]): Promise<ReadonlyMap<WorkerId, WorkerProfile>> {
    const unknown = ids.filter((id) => !this.profiles.has(id));
    if (unknown.length > 0) {
      for (const row of await connection.query<ProfileRow>(PROFILES_READ, [unknown])) this.profiles.set(row.id, toWorkerProfile(row));
    }
    return this.profiles;
  }

  get known(): ReadonlyMap<WorkerId, WorkerProfile> {
    return this.profiles;
  }

  forget(id: WorkerId): void {
    this.profiles.delete(id);
  }

  forgetAll(): void {
    this.profiles.clear();
  }
}
