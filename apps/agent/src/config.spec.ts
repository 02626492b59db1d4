import { readConfig, shownKey } from './config.js';

const KEY = 'wak_01ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const read = (env: Record<string, string>) =>
  readConfig({ env: { MUSTER_AGENT_KEY: KEY, ...env }, cwd: '/nonexistent' });

describe('the agent configuration', () => {
  it('needs nothing but a key', () => {
    const config = read({});
    expect(config).toMatchObject({
      url: 'http://127.0.0.1:6878',
      onTerm: 'keep',
      monitorPort: 8001,
      labels: {},
      retryMaxMs: 30_000,
    });
    expect(config.slots).toBeGreaterThanOrEqual(1);
    expect(config.stateDir).toMatch(/agent$/);
  });

  it('names every mistake at once', () => {
    const bad = {
      MUSTER_URL: 'nowhere',
      MUSTER_AGENT_NAME: 'x'.repeat(201),
      MUSTER_AGENT_SLOTS: '0',
      MUSTER_AGENT_LABELS: 'zone',
      MUSTER_AGENT_CAPABILITY: 'quantum',
      MUSTER_AGENT_MONITOR_PORT: '70000',
      MUSTER_AGENT_ON_TERM: 'dance',
      MUSTER_AGENT_RETRY_MAX: 'soon',
    };
    const message = (() => {
      try {
        read(bad);
        return 'no complaint';
      } catch (error) {
        return String(error);
      }
    })();
    for (const name of Object.keys(bad)) expect(message).toContain(name);
  });

  it('refuses a key that is not a worker key without repeating it', () => {
    const key = 'mst_adm_secretsecretsecret';
    expect(() => read({ MUSTER_AGENT_KEY: key })).toThrow(
      /MUSTER_AGENT_KEY: expected a worker key.*found a key that starts with mst_$/m,
    );
  });

  it('needs no key where it has an enrolment token, and takes no other secret for one', () => {
    const token = 'mst_enr_01ABCDEFGHIJKLMNOPQRSTUVWXYZ';
    expect(read({ MUSTER_AGENT_KEY: '', MUSTER_AGENT_ENROLMENT_TOKEN: token })).toMatchObject({ enrolmentToken: token });
    expect(() => read({ MUSTER_AGENT_ENROLMENT_TOKEN: KEY })).toThrow(
      /MUSTER_AGENT_ENROLMENT_TOKEN: expected an enrolment token.*found a key that starts with wak_$/m,
    );
  });

  it('says what may be given where there is neither a key nor a token', () => {
    const nothing = { MUSTER_AGENT_KEY: '', MUSTER_AGENT_STATE_DIR: '/nonexistent', MUSTER_AGENT_SLOTS: '0' };
    expect(() => read(nothing)).toThrow(/MUSTER_AGENT_SLOTS: .*\n.*MUSTER_AGENT_KEY: expected a worker key, MUSTER_AGENT_KEY_FILE .*MUSTER_AGENT_ENROLMENT_TOKEN/);
  });

  it('reads labels as pairs', () => {
    expect(read({ MUSTER_AGENT_LABELS: 'zone=lab, driver=550,note=a=b' }).labels).toEqual({
      zone: 'lab',
      driver: '550',
      note: 'a=b',
    });
  });

  it.each([
    ['whose name is a comparison', 'driver>=550'],
    ['whose name has another sign', 'gpu:model=H100'],
    ['whose name begins with a dash', '-zone=lab'],
    ['whose name is too long', `${'x'.repeat(64)}=1`],
    ['whose value is too long', `zone=${'x'.repeat(257)}`],
  ])('refuses a label that no job could ask for: one %s', (_which, labels) => {
    expect(() => read({ MUSTER_AGENT_LABELS: labels })).toThrow(/MUSTER_AGENT_LABELS: expected up to 64 pairs.*each name 1 to 63 letters, digits/);
  });

  it('reads content types, and refuses one that the control plane would refuse with the whole hello', () => {
    expect(read({ MUSTER_AGENT_CONTENT_TYPES: 'text, web,' }).contentTypes).toEqual(['text', 'web']);
    for (const types of ['x'.repeat(65), Array.from({ length: 101 }, (_, index) => `t${index}`).join(',')]) {
      expect(() => read({ MUSTER_AGENT_CONTENT_TYPES: types })).toThrow('MUSTER_AGENT_CONTENT_TYPES: expected a comma-separated list of at most 100 words of at most 64 bytes');
    }
  });

  it('turns the monitor off by a word', () => {
    expect(read({ MUSTER_AGENT_MONITOR_PORT: 'off' }).monitorPort).toBe('off');
    expect(read({ MUSTER_AGENT_MONITOR_PORT: '0' }).monitorPort).toBe(0);
  });

  it('shows as much of a key as tells it from others', () => {
    expect(shownKey(KEY)).toBe('wak_01ABCDEF…');
  });
});
