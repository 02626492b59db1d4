import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config-error.js';
import { address, custom, duration, flag, integer, list, oneOf, secret, text } from './fields.js';
import { loadConfig, readEnvironment } from './env.js';

const schema = {
  port: integer('MUSTER_PORT', { about: 'Port.', default: 6878, min: 0, max: 65_535 }),
  timeoutMs: duration('MUSTER_WORKER_TIMEOUT', { about: 'W.', default: 60_000, minMs: 3_000 }),
  labels: list('MUSTER_AGENT_LABELS', { about: 'Labels.', default: [] }),
  capability: oneOf('MUSTER_AGENT_CAPABILITY', ['cpu', 'gpu', 'hybrid'], { about: 'What.', optional: true }),
  key: secret('MUSTER_AGENT_KEY', { about: 'The key.', optional: true }),
  url: address('MUSTER_URL', { about: 'Where.', default: 'http://127.0.0.1:6878' }),
  isVerbose: flag('VERBOSE', { about: 'Talk.', default: false }),
  monitorPort: custom('MUSTER_AGENT_MONITOR_PORT', {
    about: 'Monitor.',
    expected: 'a port or off',
    default: 8001 as number | 'off',
    parse: (found) => (found === 'off' ? 'off' : Number(found) || undefined),
  }),
  name: text('MUSTER_AGENT_NAME', { about: 'Name.', optional: true }),
};

describe('the configuration', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'muster-config-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const load = (env: Record<string, string>) => loadConfig(schema, { env, cwd: folder });

  function complaintsOf(env: Record<string, string>) {
    try {
      load(env);
    } catch (error) {
      if (error instanceof ConfigError) return error.complaints;
      throw error;
    }
    return [];
  }

  it('has every default when nothing is set, and empty texts count as nothing', () => {
    const config = load({ MUSTER_PORT: '', MUSTER_AGENT_NAME: '  ' });
    expect(config).toEqual({
      port: 6878,
      timeoutMs: 60_000,
      labels: [],
      capability: undefined,
      key: undefined,
      url: 'http://127.0.0.1:6878',
      isVerbose: false,
      monitorPort: 8001,
      name: undefined,
    });
  });

  it('reads each kind of value', () => {
    const config = load({
      MUSTER_PORT: '80',
      MUSTER_WORKER_TIMEOUT: '4s',
      MUSTER_AGENT_LABELS: ' zone=lab, fast ,,',
      MUSTER_AGENT_CAPABILITY: 'gpu',
      MUSTER_AGENT_KEY: 'wak_abc',
      MUSTER_URL: 'https://muster.example',
      VERBOSE: 'Yes',
      MUSTER_AGENT_MONITOR_PORT: 'off',
      MUSTER_AGENT_NAME: 'alpha',
    });
    expect(config).toMatchObject({
      port: 80,
      timeoutMs: 4_000,
      labels: ['zone=lab', 'fast'],
      capability: 'gpu',
      key: 'wak_abc',
      url: 'https://muster.example',
      isVerbose: true,
      monitorPort: 'off',
      name: 'alpha',
    });
  });

  it('cannot be changed once read', () => {
    const config = load({ MUSTER_AGENT_LABELS: 'a' });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.labels)).toBe(true);
  });

  it('reports every mistake at once, with the name, what is expected and what was found', () => {
    const complaints = complaintsOf({
      MUSTER_PORT: '65536',
      MUSTER_WORKER_TIMEOUT: '2s',
      MUSTER_AGENT_CAPABILITY: 'fpga',
      MUSTER_URL: 'muster.example',
      VERBOSE: 'maybe',
    });
    expect(complaints).toEqual([
      { name: 'MUSTER_PORT', expected: 'a whole number from 0 to 65535', found: '"65536"' },
      { name: 'MUSTER_WORKER_TIMEOUT', expected: 'a duration such as 4s, 5m or 300ms, at least 3s', found: '"2s"' },
      { name: 'MUSTER_AGENT_CAPABILITY', expected: 'one of cpu, gpu, hybrid', found: '"fpga"' },
      { name: 'MUSTER_URL', expected: 'an address starting with http:// or https://', found: '"muster.example"' },
      { name: 'VERBOSE', expected: 'true or false', found: '"maybe"' },
    ]);
  });

  it('writes its mistakes as sentences a person can act on', () => {
    expect(() => load({ MUSTER_PORT: 'eighty', VERBOSE: '2' })).toThrow(
      'The configuration has 2 mistakes:\n' +
        '  MUSTER_PORT: expected a whole number from 0 to 65535, found "eighty"\n' +
        '  VERBOSE: expected true or false, found "2"',
    );
  });

  it('asks for a required variable that is missing', () => {
    const required = { key: secret('MUSTER_KEY', { about: 'The key.' }) };
    expect(() => loadConfig(required, { env: {}, cwd: folder })).toThrow(
      'MUSTER_KEY: expected a secret, or MUSTER_KEY_FILE with the path of a file that holds it, found nothing',
    );
  });

  it('reads a secret from the file that NAME_FILE names', () => {
    const path = join(folder, 'key');
    writeFileSync(path, 'wak_from_a_file\n');
    expect(load({ MUSTER_AGENT_KEY_FILE: path }).key).toBe('wak_from_a_file');
  });

  it('refuses a secret that is given twice, and a file that is missing or empty', () => {
    const path = join(folder, 'empty');
    writeFileSync(path, '\n');
    const missing = join(folder, 'missing');
    expect(complaintsOf({ MUSTER_AGENT_KEY: 'a', MUSTER_AGENT_KEY_FILE: path })[0]?.found).toBe('both');
    expect(complaintsOf({ MUSTER_AGENT_KEY_FILE: path })[0]?.found).toBe(`an empty file ${path}`);
    expect(complaintsOf({ MUSTER_AGENT_KEY_FILE: missing })[0]?.found).toBe(`ENOENT on ${missing}`);
  });

  it('never repeats a secret or the credentials of an address in a complaint', () => {
    const strict = {
      key: custom('MUSTER_KEY', { about: 'Key.', optional: true, expected: 'a key', parse: () => undefined }),
      database: address('DATABASE_URL', { about: 'Database.', optional: true, schemes: ['postgres:'] }),
    };
    const env = { DATABASE_URL: 'mysql://me:hunter2@db/x' };
    expect(() => loadConfig(strict, { env, cwd: folder })).toThrow('found "mysql://***@db/x"');
    const masked = { key: { ...strict.key, isSecret: true } };
    expect(() => loadConfig(masked, { env: { MUSTER_KEY: 'hunter2' }, cwd: folder })).toThrow('found 7 characters');
  });

  it('fills in from a .env file what the environment does not set', () => {
    writeFileSync(join(folder, '.env'), '# ours\nMUSTER_PORT=81\nexport MUSTER_AGENT_NAME="from the file"\n');
    const config = load({ MUSTER_PORT: '82' });
    expect(config.port).toBe(82);
    expect(config.name).toBe('from the file');
  });

  it('can be handed on to children with what the .env file adds', () => {
    writeFileSync(join(folder, '.env'), 'DATABASE_URL=postgres://db/x\nPATH=/never\n');
    expect(readEnvironment({ env: { PATH: '/bin' }, cwd: folder })).toEqual({
      PATH: '/bin',
      DATABASE_URL: 'postgres://db/x',
    });
  });

  it('complains about a .env file that it may not read, unless it may read everything', () => {
    const path = join(folder, '.env');
    writeFileSync(path, 'MUSTER_PORT=1');
    chmodSync(path, 0o000);
    const isRoot = process.getuid?.() === 0;
    expect(complaintsOf({}).map((complaint) => complaint.name)).toEqual(isRoot ? [] : ['.env']);
  });

  it('warns of MUSTER_ names it does not know and suggests the nearest one', () => {
    const warnings: string[] = [];
    const env = {
      MUSTER_AGENT_LABLES: 'a',
      MUSTER_COLOUR_OF_THE_SKY: 'blue',
      MUSTER_HOST: '::1',
      PATH: '/bin',
      MUSTER_MINE: '1',
    };
    loadConfig(schema, { env, cwd: folder, warn: (message) => warnings.push(message), alsoKnown: ['MUSTER_MINE'] });
    expect(warnings).toEqual([
      'MUSTER_AGENT_LABLES is not a setting of Muster; did you mean MUSTER_AGENT_LABELS?',
      'MUSTER_COLOUR_OF_THE_SKY is not a setting of Muster.',
    ]);
  });

  it('refuses words that are not in a list with known values', () => {
    const types = { types: list('TYPES', { about: 'Types.', default: [], values: ['text', 'image'] }) };
    expect(loadConfig(types, { env: { TYPES: 'image,text' }, cwd: folder }).types).toEqual(['image', 'text']);
    expect(() => loadConfig(types, { env: { TYPES: 'image,smell' }, cwd: folder })).toThrow(
      'TYPES: expected a comma-separated list of text, image, found "image,smell"',
    );
  });
});
