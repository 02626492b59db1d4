export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions, type PostgresStep, } from './embedded-postgres/embedded-postgres.js';
export { EmbeddedPostgresError, type EmbeddedPostgresFailure } from './embedded-postgres/errors.js';
export { anyFreePort, isPortFree, nextFreePort } from './processes/free-port.js';
export { lockHolder, tryLock, waitForLock, type HeldLock, type LockHolder, type LockOutcome, } from './processes/lock-file.js';
export { identityOf, isAlive, isStillAlive, programNameOf, type ProcessIdentity, } from './processes/process-identity.js';
export { chooseDataDirectory, dataDirectoryAt, DataDirectoryError, prepareDataDirectory, type DataDirectory, } from './stack/data-directory.js';
export { NotBuilt, builtPrograms, type StackPrograms } from './stack/programs.js';
export { NotReady, waitUntilReady, type ReadinessOptions } from './stack/readiness.js';
export { endLeftover, identityFileOf, Service, ServiceFailed, type ServiceOptions } from './stack/service.js';
export { StackAlreadyRunning } from './stack/stack-lock.js';
export { STACK_SCHEMA } from './stack/settings.js';
export { startStack } from './stack/stack.js';
export type { Stack, StackEnd, StackOptions, StackProgress, StackStep } from './stack/stack-types.js';
export { ConfigError, installShutdown, SIGNAL_MERGE_MS, type Shutdown } from '@muster/runtime';
//# sourceMappingURL=index.d.ts.map