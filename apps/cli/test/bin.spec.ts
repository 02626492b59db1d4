import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** The door alone, as it stands in a clone before the first build. */
function setup(): { folder: string; call: () => { status: number | null; stderr: string } } {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bin-'));
  folders.push(folder);
  cpSync(resolve(import.meta.dirname, '../bin'), join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const call = () => spawnSync(process.execPath, [join(folder, 'bin/muster.mjs'), 'ps'], { encoding: 'utf8', env: {} });
  return { folder, call };
}

describe('the door of the CLI', () => {
  it('says how to build a clone that is not built', () => {
    const { status, stderr } = setup().call();
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('npm start') });
  });

  it('says the same when a lib below it is not built', () => {
    const { folder, call } = setup();
    mkdirSync(join(folder, 'dist/bundle'), { recursive: true });
    writeFileSync(join(folder, 'dist/bundle/main.mjs'), "import './missing.js';");
    const { status, stderr } = call();
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('npm run build') });
  });

  it('hides no other fault', () => {
    const { folder, call } = setup();
    mkdirSync(join(folder, 'dist/bundle'), { recursive: true });
    writeFileSync(join(folder, 'dist/bundle/main.mjs'), "throw new Error('a real fault');");
    const { status, stderr } = call();
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('a real fault') });
  });
});
