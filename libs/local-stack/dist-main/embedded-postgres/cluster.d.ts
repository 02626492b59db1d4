import type { Binaries } from './binaries.js';
import type { Layout } from './layout.js';
import { type ServerUser } from './server-user.js';
/** The superuser of the cluster and owner of everything in it. */
export declare const SUPERUSER = "muster";
export interface ClusterOptions {
    readonly layout: Layout;
    readonly binaries: Binaries;
    readonly user: ServerUser | undefined;
    readonly signal?: AbortSignal;
    /** Told when a new cluster is about to be made. */
    readonly onInit?: () => void;
}
/**
 * Makes the cluster if there is none and answers the superuser's password. A first start that is killed at any moment
 * leaves nothing half-made: the cluster is made in a scratch folder and renamed when it is whole. Runs under the start lock.
 */
export declare function ensureCluster(options: ClusterOptions): Promise<{
    password: string;
    isNew: boolean;
}>;
//# sourceMappingURL=cluster.d.ts.map