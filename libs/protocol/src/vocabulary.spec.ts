import * as protocol from './index.js';
import { AGENT_TO_SERVER_EVENTS, FINAL_JOB_STATUSES, JOB_REASONS, JOB_STATUSES, KEY_PREFIXES, LIVE_ATTEMPT_STATES, OUTCOMES, PROBLEMS, REASON_TEXTS, ROLES } from './index.js';

describe('vocabulary', () => {
  test('values of closed lists are camelCase and never repeat', () => {
    // Events and kinds of runs have names of their own form, and platforms those that Node gives them.
    const others = ['EVENT_TYPES', 'AGENT_TO_SERVER_EVENTS', 'PLATFORMS', 'RUN_KINDS'];
    for (const [name, list] of Object.entries(protocol)) {
      if (!Array.isArray(list) || others.includes(name)) continue;
      expect(new Set(list).size).toBe(list.length);
      for (const value of list) expect(value).toMatch(/^[a-z][a-zA-Z]*$/);
    }
  });

  test('every reason has a sentence for people', () => {
    for (const reason of JOB_REASONS) expect(REASON_TEXTS[reason].sentence).toMatch(/\.$/);
  });

  test('final statuses and live attempt states are not the whole list', () => {
    expect(FINAL_JOB_STATUSES.length).toBeLessThan(JOB_STATUSES.length);
    expect(LIVE_ATTEMPT_STATES).not.toContain('ended');
    expect(OUTCOMES).toContain('lost');
  });

  test('no key prefix is the beginning of another', () => {
    const prefixes = ROLES.map((role) => KEY_PREFIXES[role]);
    for (const a of prefixes) for (const b of prefixes) expect(a === b || !a.startsWith(b)).toBe(true);
  });

  test('every problem answers with a client or server error', () => {
    for (const { status } of Object.values(PROBLEMS)) expect(status).toBeGreaterThanOrEqual(400);
  });

  test('agent events are named noun, colon, verb', () => {
    for (const name of AGENT_TO_SERVER_EVENTS) expect(name).toMatch(/^[a-z]+:[a-z]+$/);
  });
});
