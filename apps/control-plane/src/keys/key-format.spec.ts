import { randomBytes } from 'node:crypto';
import { ID_PREFIXES, KEY_PREFIXES, ROLES, toId } from '@muster/protocol';
import { formatJobToken, formatKey, holdsKey, parseKey } from './key-format.js';

const ID = toId(ID_PREFIXES.key, 1_795_000_000_000, randomBytes(10));

describe('a key as text', () => {
  it.each(ROLES.map((role) => [role]))('of the role %s carries its prefix and its id', (role) => {
    const text = formatKey(role, ID, randomBytes(32));
    expect(text.startsWith(KEY_PREFIXES[role])).toBe(true);
    expect(parseKey(text)).toMatchObject({ kind: 'key', id: ID, role });
  });

  it('of one attempt carries the id of that', () => {
    const attemptId = toId(ID_PREFIXES.attempt, 1_795_000_000_000, randomBytes(10));
    const text = formatJobToken(attemptId, randomBytes(32));
    expect(parseKey(text)).toMatchObject({ kind: 'jobToken', attemptId });
    expect(parseKey(text.slice(0, -1)).kind).toBe('typo');
    expect(holdsKey(`/api/v1/attempts?token=${text}`)).toBe(true);
  });

  it('shows no random character in its prefix', () => {
    const parsed = parseKey(formatKey('admin', ID, randomBytes(32)));
    expect(parsed).toMatchObject({ prefix: `mst_adm_${ID.slice(4, 12)}` });
  });

  it('is known as a typo when any one character differs or is missing', () => {
    const text = formatKey('submitter', ID, randomBytes(32));
    for (let at = 'mst_sub_'.length; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A';
      expect(parseKey(text.slice(0, at) + other + text.slice(at + 1)).kind).toBe('typo');
      expect(parseKey(text.slice(0, at) + text.slice(at + 1)).kind).toBe('typo');
    }
  });

  it.each([[''], ['hello'], ['ghp_abcdefghijklmnopqrstuvwxyz'], ['Bearer x']])('that is not ours (%j) is called foreign', (text) => {
    expect(parseKey(text)).toEqual({ kind: 'foreign' });
  });

  it('is noticed inside other text, also when it is cut off', () => {
    const text = formatKey('worker', ID, randomBytes(32));
    expect(holdsKey(`/api/v1/jobs?token=${text}`)).toBe(true);
    expect(holdsKey(`/api/v1/jobs?token=${text.slice(0, 30)}`)).toBe(true);
    expect(holdsKey('/api/v1/jobs?q=wak_up')).toBe(false);
  });
});
