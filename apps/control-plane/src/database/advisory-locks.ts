import { sql } from './sql.js';

/** Numbers that no other program takes in the same database, one per thing that only one at a time may do. */
export const ADVISORY_LOCKS = {
  /** Brings the schema to this version. */
  migrate: 6_878_001,
  /** Looks when any replica was last alive, and says that this one is or is not. */
  marks: 6_878_002,
  // 6_878_003 is the seed of the locks on idempotency keys (jobs.sql.ts), which are numbers of 64 bits of their own.
  /** Revokes or bootstraps keys: "is there another admin key" must stay true until the commit. */
  keys: 6_878_004,
  /** Makes or drops a partition. */
  retention: 6_878_005,
  // 6_878_006 is the seed of the locks on ids that other systems gave their workers (foreign.sql.ts), as that of idempotency keys.
  // 6_878_007 is that of the locks on logs to which lines of other systems are appended (training.sql.ts).
} as const;

/** Waits for the lock ($1, one of `ADVISORY_LOCKS`) and holds it to the end of the transaction. */
export const ADVISORY_LOCK = sql`select pg_advisory_xact_lock($1::bigint)`;
