import type { Stack, StackOptions } from './stack-types.js';
/**
 * Starts PostgreSQL, control plane and one agent on the data directory, and keeps them running.
 *
 * @throws StackAlreadyRunning, ConfigError, DataDirectoryError, EmbeddedPostgresError, ServiceFailed, NotReady, NotBuilt:
 *   each message is for people; nothing is left running
 */
export declare function startStack(options?: StackOptions): Promise<Stack>;
//# sourceMappingURL=stack.d.ts.map