import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseDataDirectory, prepareDataDirectory, type PlatformFacts } from './data-directory.js';

const user: PlatformFacts = { platform: 'linux', home: '/home/ada', uid: 1_000, cwd: '/clone' };

describe('the data directory', () => {
  it.each<[string, Record<string, string>, Partial<PlatformFacts>, string]>([
    ['the one that is named', { MUSTER_DATA_DIR: '/srv/muster' }, { uid: 0 }, '/srv/muster'],
    ['the named one below the working directory', { MUSTER_DATA_DIR: 'data' }, {}, '/clone/data'],
    ['below /var/lib for root', { XDG_DATA_HOME: '/x' }, { uid: 0 }, '/var/lib/muster'],
    ['in the home of a user', {}, {}, '/home/ada/.local/share/muster'],
    ['where XDG says', { XDG_DATA_HOME: '/x' }, {}, '/x/muster'],
    ['in the library on macOS', {}, { platform: 'darwin' }, '/home/ada/Library/Application Support/muster'],
    ['in the local data on Windows', {}, { platform: 'win32', uid: undefined }, '/home/ada/AppData/Local/muster/Data'],
  ])('is %s', (_where, env, facts, expected) => {
    expect(chooseDataDirectory(env, { ...user, ...facts })).toBe(expected);
  });

  describe('when it is made', () => {
    let folder: string;
    let umask: number;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'muster-data-'));
      chmodSync(folder, 0o755);
      umask = process.umask(0o077);
    });
    afterEach(() => {
      process.umask(umask);
      rmSync(folder, { recursive: true, force: true });
    });

    it('is closed to others, with missing folders above it open to pass, whatever the umask', () => {
      const root = join(folder, 'new', 'deep', 'data');
      prepareDataDirectory(root, { isPostgresInside: true });
      expect(statSync(root).mode & 0o007).toBe(0);
      expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o755);
      expect(statSync(join(root, 'logs')).mode & 0o777).toBe(0o700);
    });

    it('may lie in a folder of ours that was closed', () => {
      const root = join(folder, 'data');
      mkdirSync(root, { mode: 0o700 });
      expect(prepareDataDirectory(root, { isPostgresInside: true }).root).toBe(root);
    });

    it.each([['/proc'], ['/proc/self/fdinfo']])('is refused by name below %s, which takes no folder in', (above) => {
      const root = join(above, 'muster', 'data');
      expect(() => prepareDataDirectory(root, { isPostgresInside: false })).toThrow(
        `The data directory ${root} cannot be made or written`,
      );
    });

    it('is refused by name when it cannot be made', () => {
      writeFileSync(join(folder, 'file'), '');
      const root = join(folder, 'file', 'data');
      expect(() => prepareDataDirectory(root, { isPostgresInside: false })).toThrow(
        `The data directory ${root} cannot be made or written`,
      );
    });
  });
});
