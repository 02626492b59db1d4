export { startEmbeddedPostgres, } from './embedded-postgres/embedded-postgres.js';
export { EmbeddedPostgresError } from './embedded-postgres/errors.js';
export { anyFreePort, isPortFree, nextFreePort } from './processes/free-port.js';
export { lockHolder, tryLock, waitForLock, } from './processes/lock-file.js';
export { identityOf, isAlive, isStillAlive, programNameOf, } from './processes/process-identity.js';
export { chooseDataDirectory, dataDirectoryAt, DataDirectoryError, prepareDataDirectory, } from './stack/data-directory.js';
export { NotBuilt, builtPrograms } from './stack/programs.js';
export { NotReady, waitUntilReady } from './stack/readiness.js';
export { endLeftover, identityFileOf, Service, ServiceFailed } from './stack/service.js';
export { StackAlreadyRunning } from './stack/stack-lock.js';
export { STACK_SCHEMA } from './stack/settings.js';
export { startStack } from './stack/stack.js';
export { ConfigError, installShutdown, SIGNAL_MERGE_MS } from '@muster/runtime';
//# sourceMappingURL=index.js.map