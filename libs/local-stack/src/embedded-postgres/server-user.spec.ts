import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockingFolder, findUser } from './server-user.js';

const stranger = { uid: (process.getuid?.() ?? 0) + 1, gid: (process.getgid?.() ?? 0) + 1, name: 'stranger' };

describe('the user of the server', () => {
  it('is postgres where there is one', () => {
    const passwd = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\npostgres:x:101:104::/:/bin/bash\n';
    expect(findUser(passwd)).toEqual({ uid: 101, gid: 104, name: 'postgres' });
  });

  it('is nobody elsewhere, also where nobody has a negative id', () => {
    expect(findUser('nobody:*:-2:-2::/:/usr/bin/false')).toEqual({
      uid: 4_294_967_294,
      gid: 4_294_967_294,
      name: 'nobody',
    });
    expect(findUser('')).toEqual({ uid: 65_534, gid: 65_534, name: 'nobody' });
  });

  it('is never root, whatever the file says', () => {
    expect(findUser('postgres:x:0:0::/:/bin/sh\nnobody:x:99:99::/:/bin/false')).toMatchObject({
      name: 'nobody',
      uid: 99,
    });
  });
});

describe('the folder that blocks a user', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'muster-reach-')));
    mkdirSync(join(folder, 'outer', 'inner'), { recursive: true, mode: 0o755 });
    for (const path of ['', 'outer', 'outer/inner']) chmodSync(join(folder, path), 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is none when every folder may be passed', () => {
    expect(blockingFolder(join(folder, 'outer', 'inner'), stranger)).toBeUndefined();
  });

  it('is the outermost one that may not be passed', () => {
    chmodSync(join(folder, 'outer'), 0o700);
    chmodSync(join(folder, 'outer', 'inner'), 0o700);
    expect(blockingFolder(join(folder, 'outer', 'inner'), stranger)).toBe(join(folder, 'outer'));
  });

  it('lets the group pass where the group may', () => {
    chmodSync(folder, 0o710);
    expect(blockingFolder(folder, { ...stranger, gid: process.getgid?.() ?? 0 })).toBeUndefined();
    expect(blockingFolder(folder, stranger)).toBe(folder);
  });
});
