import { type ConfigOf, type Environment } from '@muster/runtime';
import type { DataDirectory } from './data-directory.js';
/** What the launcher itself reads; everything else is handed on to the services, which read it themselves. */
export declare const STACK_SCHEMA: {
    dataDir: import("@muster/runtime").Field<string | undefined>;
    host: import("@muster/runtime").Field<string>;
    port: import("@muster/runtime").Field<number>;
    postgresPort: import("@muster/runtime").Field<number | undefined>;
    databaseUrl: import("@muster/runtime").Field<string | undefined>;
};
export interface StackSettings extends ConfigOf<typeof STACK_SCHEMA> {
    /** The environment with what a `.env` file adds; the services inherit it. */
    readonly env: Environment;
}
/** @throws ConfigError with every complaint at once */
export declare function readSettings(options: {
    env: Environment;
    cwd: string;
    warn: (message: string) => void;
}): StackSettings;
/** Where people and the agent reach a control plane that listens on this host. */
export declare function urlFor(host: string, port: number): string;
export declare function controlPlaneEnvironment(settings: StackSettings, facts: {
    databaseUrl: string;
    port: number;
    directory: DataDirectory;
}): Environment;
export declare function agentEnvironment(settings: StackSettings, facts: {
    url: string;
    directory: DataDirectory;
}): Environment;
//# sourceMappingURL=settings.d.ts.map