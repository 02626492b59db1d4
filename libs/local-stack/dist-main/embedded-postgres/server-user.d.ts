/** The unprivileged user that the server runs as. */
export interface ServerUser {
    readonly uid: number;
    readonly gid: number;
    readonly name: string;
}
/**
 * PostgreSQL refuses to run as root. As root it is run by the owner of an existing cluster, else by `postgres` where
 * that user exists, else by `nobody`. Otherwise `undefined`: it runs as whoever we are.
 */
export declare function serverUser(clusterDir: string): ServerUser | undefined;
/** Pure: chooses from the text of `/etc/passwd`. */
export declare function findUser(passwd: string): ServerUser;
/** What the system calls the user we run as; `undefined` when it lists no such user, as with any uid in a container. */
export declare function ownUserName(): string | undefined;
/** The text of `/etc/passwd`, empty where there is none. */
export declare function readPasswd(): string;
/** The outermost folder on the way to `path` that this user may not pass, `path` included; `undefined` when there is none. */
export declare function blockingFolder(path: string, user: ServerUser): string | undefined;
//# sourceMappingURL=server-user.d.ts.map