import { createColors } from 'picocolors';
import { renderNextSteps, renderPlaces, type WelcomeFacts } from './welcome.js';

const facts = (more: Partial<WelcomeFacts['stack']> = {}): WelcomeFacts => ({
  stack: {
    url: 'http://127.0.0.1:6878',
    dataDir: '/var/lib/muster',
    adminKey: 'mst_adm_SECRET',
    adminKeyFile: '/var/lib/muster/admin.key',
    firstStart: true,
    logDir: '/var/lib/muster/logs',
    ...more,
  },
  contextName: 'local',
  isCurrent: true,
  program: 'npx muster',
});

describe('the welcome', () => {
  it('of a first start shows where things are, and the key with where it is kept', () => {
    expect(renderPlaces(facts(), createColors(false))).toBe(
      [
        '  URL         http://127.0.0.1:6878',
        '  API docs    http://127.0.0.1:6878/api/docs',
        '  Data        /var/lib/muster',
        '  Admin key   mst_adm_SECRET',
        '              shown once, saved in your CLI context "local" and in /var/lib/muster/admin.key',
      ].join('\n'),
    );
  });

  it('of a later start shows no key', () => {
    expect(renderPlaces(facts({ firstStart: false }), createColors(false))).not.toContain('mst_adm');
  });

  it('says at its end once more where things are, below the log of the example', () => {
    expect(renderNextSteps(facts())).toContain(
      [
        '  URL         http://127.0.0.1:6878',
        '  Data        /var/lib/muster',
        '  Admin key   in /var/lib/muster/admin.key',
      ].join('\n'),
    );
    expect(renderNextSteps(facts())).not.toContain('mst_adm');
  });

  it('names three commands that reach this stack and no other', () => {
    expect(renderNextSteps(facts()).match(/npx muster (?!--)\w+/g)).toHaveLength(3);
    expect(renderNextSteps({ ...facts(), isCurrent: false }).match(/npx muster --context local \w+/g)).toHaveLength(3);
  });
});
