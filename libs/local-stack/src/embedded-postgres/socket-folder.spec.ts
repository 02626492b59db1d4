import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canHoldSocket, makeSocketFolder, socketIn, throughSocket } from './socket-folder.js';

const URL_BY_PORT = 'postgres://muster:secret@127.0.0.1:5433/muster';
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'muster-socket-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a folder for the socket of embedded PostgreSQL', () => {
  it.each([
    ['/var/lib/muster/postgres/socket', 'linux', true],
    ['/var/lib/muster/postgres/socket', 'win32', false],
    [`/data/${'long/'.repeat(20)}socket`, 'linux', false],
    ['/data/one, two/socket', 'linux', false],
    ['/data/"quoted"/socket', 'linux', false],
  ] as const)('%s on %s can be one: %s', (path, platform, expected) => {
    expect(canHoldSocket(path, platform)).toBe(expected);
  });

  it('is closed to others, also when it was there before with another mode', () => {
    makeSocketFolder(folder, undefined);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('is the way to the server as soon as a socket is in it, and never before', () => {
    expect(throughSocket(URL_BY_PORT, folder, 5433)).toBe(URL_BY_PORT);
    writeFileSync(socketIn(folder, 5433), '');
    expect(throughSocket(URL_BY_PORT, folder, 5433)).toBe(`${URL_BY_PORT}?host=${encodeURIComponent(folder)}`);
  });
});
