import { Client } from 'pg';
export interface Address {
    readonly port: number;
    readonly password: string;
}
export declare function urlOf({ port, password }: Address, database: string): string;
/** Runs `work` on one connection to the server's own database and always closes it. */
export declare function withConnection<T>(address: Address, work: (client: Client) => Promise<T>): Promise<T>;
/** Whether a login there succeeds and the server answers that it works in this cluster. */
export declare function answersAs(address: Address, clusterDir: string): Promise<boolean>;
/**
 * Repeats what never came to an answer, until that time (of `performance.now()`); what the server refuses is thrown at once,
 * and so is the last error when the time is over.
 */
export declare function untilAnswered<T>(work: () => Promise<T>, untilMs: number, signal?: AbortSignal): Promise<T>;
/** Makes the database unless it exists. */
export declare function ensureDatabase(address: Address, database: string): Promise<void>;
//# sourceMappingURL=login.d.ts.map