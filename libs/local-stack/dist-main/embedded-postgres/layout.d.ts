import { type ServerUser } from './server-user.js';
/** Where things lie below the folder that PostgreSQL was given. */
export interface Layout {
    readonly root: string;
    /** The cluster: what PostgreSQL calls its data directory. */
    readonly cluster: string;
    /** The server's password, readable only by us. */
    readonly password: string;
    readonly log: string;
    readonly startLock: string;
    /** Copies of the programs, where the installed ones cannot be used. */
    readonly binaries: string;
}
export declare function layoutOf(root: string): Layout;
/**
 * Makes the folder, closed to others; when the server runs as another user, that user's group may pass through it. It is
 * our folder, so its own mode is put right; folders above it are not ours and are only judged.
 *
 * @throws EmbeddedPostgresError `unreachableDataDirectory`, naming the folder that blocks
 */
export declare function prepareRoot(root: string, user: ServerUser | undefined): void;
/** Makes a folder closed to others. Folders above it that are missing are made open to pass, whatever our umask. */
export declare function makeFolder(folder: string): void;
/** Lets the user's group pass through a folder that belongs to us, without letting it list the folder. */
export declare function letPass(folder: string, user: ServerUser): void;
//# sourceMappingURL=layout.d.ts.map