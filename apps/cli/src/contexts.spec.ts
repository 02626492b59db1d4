import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contextsPath, readContexts, withContext, withoutContext, writeContexts } from './contexts.js';

const folders: string[] = [];
const setup = (): string => {
  const folder = join(mkdtempSync(join(tmpdir(), 'muster-contexts-')), 'muster');
  folders.push(folder);
  return folder;
};
afterAll(() => folders.forEach((folder) => rmSync(join(folder, '..'), { recursive: true, force: true })));

const lab = { url: 'http://lab:6878', key: 'mst_sub_lab' };

describe('saved contexts', () => {
  it('are none before the first is saved', () => {
    expect(readContexts(setup())).toEqual({ contexts: {} });
  });

  it('come back as they were saved, in a file that only their owner reads', () => {
    const folder = setup();
    writeContexts(folder, withContext({ contexts: {} }, 'lab', lab));
    expect(readContexts(folder)).toEqual({ current: 'lab', contexts: { lab } });
    expect(statSync(contextsPath(folder)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['contexts.json']);
  });

  it('are made private again when others could read them', () => {
    const folder = setup();
    writeContexts(folder, withContext({ contexts: {} }, 'lab', lab));
    chmodSync(contextsPath(folder), 0o644);
    readContexts(folder);
    expect(statSync(contextsPath(folder)).mode & 0o777).toBe(0o600);
  });

  it.each(['{', '[]', '{"contexts":{"a":{"url":1}}}', 'null'])(
    'that hold %s are refused and not overwritten silently',
    (text) => {
      const folder = setup();
      writeContexts(folder, { contexts: {} });
      writeFileSync(contextsPath(folder), text);
      expect(() => readContexts(folder)).toThrow('cannot be read');
    },
  );

  it('have no current one after the current one is removed', () => {
    const file = withContext(withContext({ contexts: {} }, 'lab', lab), 'home', { url: 'http://home', key: 'k' });
    expect(withoutContext(file, 'home')).toEqual({ contexts: { lab } });
    expect(withoutContext(file, 'lab')).toMatchObject({ current: 'home' });
  });
});
