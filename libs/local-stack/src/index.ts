export {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  type PostgresStep,
} from './embedded-postgres/embedded-postgres.js';
export { EmbeddedPostgresError, type EmbeddedPostgresFailure } from './embedded-postgres/errors.js';
export { anyFreePort, isPortFree, nextFreePort } from './processes/free-port.js';
export {
  lockHolder,
  tryLock,
  waitForLock,
  type HeldLock,
  type LockHolder,
  type LockOutcome,
} from './processes/lock-file.js';
export {
  identityOf,
  isAlive,
  isStillAlive,
  programNameOf,
  type ProcessIdentity,
} from './processes/process-identity.js';
