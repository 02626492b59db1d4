import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseTarget, readEnvironment, type Environment } from './config.js';
import type { ContextsFile } from './contexts.js';
import { Failure } from './failure.js';

const folder = mkdtempSync(join(tmpdir(), 'muster-config-'));
const keyFile = join(folder, 'key');
writeFileSync(keyFile, 'mst_sub_file\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file: ContextsFile = {
  current: 'lab',
  contexts: {
    lab: { url: 'http://lab:6878', key: 'mst_sub_lab' },
    home: { url: 'http://home:6878/', key: 'mst_sub_home' },
  },
};
const environment = (more: Partial<Environment> = {}): Environment => ({ ...readEnvironment({}), ...more });

describe('where a command goes', () => {
  it('is the default when nothing says otherwise', () => {
    expect(chooseTarget({}, environment(), { contexts: {} })).toEqual({
      url: 'http://127.0.0.1:6878',
      key: undefined,
      contextName: null,
      keySource: 'none',
    });
  });

  it('is the current context', () => {
    expect(chooseTarget({}, environment(), file)).toEqual({
      url: 'http://lab:6878',
      key: 'mst_sub_lab',
      contextName: 'lab',
      keySource: 'context',
    });
  });

  it('is what the environment says before the context', () => {
    const set = environment({ url: 'http://env:1', key: 'mst_sub_env' });
    expect(chooseTarget({}, set, file)).toMatchObject({ url: 'http://env:1', key: 'mst_sub_env', contextName: null });
  });

  it('is what a flag says before everything', () => {
    const set = environment({ url: 'http://env:1', key: 'mst_sub_env' });
    expect(chooseTarget({ url: 'http://flag:1', keyFile }, set, file)).toMatchObject({
      url: 'http://flag:1',
      key: 'mst_sub_file',
      keySource: 'keyFile',
    });
    expect(chooseTarget({ context: 'home' }, set, file)).toMatchObject({
      url: 'http://home:6878/',
      key: 'mst_sub_home',
    });
  });

  it('never takes the key of a context to another address', () => {
    expect(chooseTarget({ url: 'http://elsewhere:1' }, environment(), file)).toMatchObject({
      key: undefined,
      keySource: 'none',
    });
    expect(chooseTarget({ context: 'home', url: 'http://elsewhere:1' }, environment(), file)).toMatchObject({
      key: undefined,
    });
  });

  it('recognises the address of a context whatever its slash', () => {
    expect(chooseTarget({ context: 'home', url: 'http://home:6878' }, environment(), file)).toMatchObject({
      key: 'mst_sub_home',
    });
  });

  it('of an unknown context is an error that names the known ones', () => {
    expect(() => chooseTarget({ context: 'lob' }, environment(), file)).toThrow(Failure);
    expect(() => chooseTarget({ keyFile: join(folder, 'none') }, environment(), file)).toThrow('cannot be read');
  });

  it('treats an empty variable as absent', () => {
    expect(readEnvironment({ MUSTER_URL: '', MUSTER_KEY: '' })).toMatchObject({ url: undefined, key: undefined });
  });

  it('keeps its files where XDG says', () => {
    expect(readEnvironment({ XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' })).toMatchObject({
      configFolder: '/c/muster',
      stateFolder: '/s/muster',
    });
  });
});
