import type { Connection } from '../database/connection-pool.js';

interface Lane extends Connection {
  transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
}

/**
 * Locks rows of streams and stores into them. Rows that do not exist yet are made in a transaction of their own, while
 * nothing is locked: whoever inserts while it holds rows may wait in a circle with another who takes both in order.
 *
 * @param lock locks the rows in their order and answers those that exist
 */
export async function withStreams<Rows extends ReadonlyMap<string, unknown>, T>(
  lane: Lane,
  count: number,
  steps: {
    readonly lock: (connection: Connection) => Promise<Rows>;
    readonly make: (connection: Connection) => Promise<unknown>;
    readonly store: (connection: Connection, rows: Rows) => Promise<T>;
  },
): Promise<T> {
  const first = await lane.transaction(async (connection) => {
    const rows = await steps.lock(connection);
    return rows.size < count ? undefined : { stored: await steps.store(connection, rows) };
  });
  if (first !== undefined) return first.stored;
  await steps.make(lane);
  return lane.transaction(async (connection) => steps.store(connection, await steps.lock(connection)));
}
