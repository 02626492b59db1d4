import type { WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { claim, type Claimed, type ClaimRequest } from './claim.js';
import { WORKERS_WITH_ROOM } from './dispatch.sql.js';
import type { LaneBook } from './lane-book.js';

/**
 * One turn of dispatch, in the transaction it is given: looks without locks whether there is anything to grant and anybody
 * to grant it to, and only then claims. Undefined when it granted nothing.
 *
 * @param request `workerIds`: all that are connected to this replica, full ones too
 */
export async function takeTurn(connection: Connection, book: LaneBook, request: Omit<ClaimRequest, 'lanes'>): Promise<Claimed | undefined> {
  const [lanes, room] = await Promise.all([
    book.queued(connection),
    connection.query<{ id: WorkerId }>(WORKERS_WITH_ROOM, [request.workerIds, request.replicaId]),
  ]);
  if (lanes.length === 0 || room.length === 0) return undefined;
  return claim(connection, { ...request, lanes, workerIds: room.map((row) => row.id) });
}
