import type { WorkerId } from '@muster/protocol';
import type { Connection, Transaction } from '../database/connection-pool.js';
import { CANDIDATES_MAX, planClaim, type ClaimPlan, type RoomyWorker, type WaitingLane } from './claim-plan.js';
import { claim, type Claimed, type ClaimRequest } from './claim.js';
import { WORK_AND_ROOM } from './dispatch.sql.js';
import type { LaneBook } from './lane-book.js';
import { ProfileBook } from './profile-book.js';

export interface LookRequest {
  /** All workers that are connected to this replica or ask here, full ones too. */
  readonly workerIds: readonly WorkerId[];
  readonly replicaId: string;
  /** How many jobs those workers take that ask for each here, over REST. */
  readonly asked?: ReadonlyMap<WorkerId, number>;
}

/** What a look without locks found. */
export interface Look {
  readonly room: readonly RoomyWorker[];
  /** Empty where nobody has room, whatever is in line. */
  readonly lanes: readonly WaitingLane[];
  readonly plan: ClaimPlan;
}

const NOBODY: ReadonlyMap<WorkerId, number> = new Map();

type LookRow =
  | { lane_id: number; waiting: number; worker_id: null; slots: null; held: null }
  | { lane_id: null; waiting: null; worker_id: WorkerId; slots: number; held: number };

/** Whether there is anything to grant and anybody to grant it to: one statement, no locks. */
export async function look(connection: Connection, books: { lanes: LaneBook; profiles: ProfileBook }, request: LookRequest): Promise<Look> {
  const { asked = NOBODY } = request;
  const rows = await connection.query<LookRow>(WORK_AND_ROOM, [request.workerIds, request.replicaId, CANDIDATES_MAX, [...asked.keys()]]);
  const room = rows.flatMap((row) => {
    if (row.worker_id === null) return [];
    return [{ id: row.worker_id, slots: Math.min(row.slots, row.held + (asked.get(row.worker_id) ?? Infinity)), held: row.held }];
  });
  const queued = rows.flatMap((row) => (row.lane_id === null ? [] : [row]));
  const known = await books.lanes.read(connection, queued.map((row) => row.lane_id));
  const lanes = queued.flatMap(({ lane_id: id, waiting }) => {
    const lane = known.get(id);
    return lane ? [{ lane, waiting }] : [];
  });
  const profiles = lanes.length === 0 ? new Map() : await books.profiles.read(connection, room.map(({ id }) => id));
  return { room, lanes, plan: planClaim(lanes, room, profiles) };
}

/** One turn of dispatch in one transaction, for whoever has it to himself: looks, and claims what it found. */
export async function takeTurn(
  transaction: Transaction,
  lanes: LaneBook,
  request: LookRequest & Pick<ClaimRequest, 'context'>,
): Promise<Claimed | undefined> {
  const { plan } = await look(transaction, { lanes, profiles: new ProfileBook() }, request);
  if (plan.wanted.length === 0) return undefined;
  return claim(transaction, { ...request, plan });
}
