import { type ServerUser } from './server-user.js';
/** Absolute paths of the programs to run. */
export interface Binaries {
    readonly postgres: string;
    readonly initdb: string;
    readonly pgCtl: string;
    /** The major version, such as `18`. */
    readonly majorVersion: string;
}
export interface FindBinariesOptions {
    /** Where a copy is kept if the installed ones cannot be used. */
    readonly copyDir: string;
    readonly user?: ServerUser;
    readonly onCopy?: () => void;
    /** The installed package's root; found by itself unless told by tests. */
    readonly packageRoot?: string;
}
/**
 * The installed binaries, made runnable; or a copy of them, made once per version, when the server's user cannot reach
 * the installed ones (a clone in a home that only root may enter) or they cannot be made runnable in place.
 */
export declare function findBinaries(options: FindBinariesOptions): Promise<Binaries>;
//# sourceMappingURL=binaries.d.ts.map