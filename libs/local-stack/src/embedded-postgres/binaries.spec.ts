import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from './binaries.js';

const stranger = { uid: (process.getuid?.() ?? 0) + 1, gid: (process.getgid?.() ?? 0) + 1, name: 'stranger' };

describe('the binaries', () => {
  let folder: string;
  let packageRoot: string;
  let copyDir: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-binaries-'));
    chmodSync(folder, 0o755);
    packageRoot = join(folder, 'package');
    copyDir = join(folder, 'copies');
    mkdirSync(join(packageRoot, 'native', 'bin'), { recursive: true });
    mkdirSync(join(packageRoot, 'native', 'lib'));
    for (const path of ['', 'native', 'native/bin', 'native/lib']) chmodSync(join(packageRoot, path), 0o755);
    writeFileSync(join(packageRoot, 'package.json'), '{"version":"18.4.0-beta.17"}');
    writeFileSync(join(packageRoot, 'native', 'bin', 'postgres'), '#!/bin/sh\n', { mode: 0o644 });
    writeFileSync(join(packageRoot, 'native', 'lib', 'libpq.so.5.18'), '');
    const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
    writeFileSync(join(packageRoot, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are made runnable in place when the install script did not run', async () => {
    const found = await findBinaries({ packageRoot, copyDir });
    expect(found.postgres).toBe(join(packageRoot, 'native', 'bin', 'postgres'));
    expect(found.majorVersion).toBe('18');
    expect(statSync(found.postgres).mode & 0o111).toBe(0o111);
    expect(readlinkSync(join(packageRoot, 'native', 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
    expect(existsSync(copyDir)).toBe(false);
  });

  it('are copied once, whole and open to all, when their user cannot reach them', async () => {
    chmodSync(packageRoot, 0o700);
    let copies = 0;
    const options = { packageRoot, copyDir, user: stranger, onCopy: () => (copies += 1) };
    const first = await findBinaries(options);
    const second = await findBinaries(options);
    expect(first.postgres).toBe(join(copyDir, '18.4.0-beta.17', 'native', 'bin', 'postgres'));
    expect(second).toEqual(first);
    expect(copies).toBe(1);
    expect(statSync(first.postgres).mode & 0o777).toBe(0o755);
    expect(statSync(copyDir).mode & 0o777).toBe(0o755);
    expect(lstatSync(join(copyDir, '18.4.0-beta.17', 'native', 'lib', 'libpq.so.5')).isSymbolicLink()).toBe(true);
  });

  it('are copied anew when an earlier copy was interrupted', async () => {
    chmodSync(packageRoot, 0o700);
    mkdirSync(join(copyDir, '.18.4.0-beta.17-draft', 'native'), { recursive: true });
    const found = await findBinaries({ packageRoot, copyDir, user: stranger });
    expect(existsSync(found.postgres)).toBe(true);
    expect(existsSync(join(copyDir, '.18.4.0-beta.17-draft'))).toBe(false);
  });
});
