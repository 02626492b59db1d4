import { newId } from '../new-id.js';
import { readEnd, readProgress, readRefuse } from './agent-messages.js';
import { InvalidMessage } from './invalid-message.js';

const ref = { attemptId: newId('att'), epoch: 1 };
const end = {
  ...ref,
  outcome: 'failed',
  exit: { code: 1, signal: null },
  detail: null,
  usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null },
  containment: 'group',
  leftovers: 0,
  logs: {},
  ranMs: 5,
};

describe('words that cannot be stored as they are', () => {
  it.each([
    ['a NUL', 'a\0b', 'a\uFFFDb'],
    ['half a surrogate pair', 'a\ud800b', 'a\uFFFDb'],
    ['a whole pair', 'a😀b', 'a😀b'],
    ['more than is kept', 'x'.repeat(900_000), 'x'.repeat(4_000)],
    ['a pair where it is cut', `${'x'.repeat(3_999)}😀`, `${'x'.repeat(3_999)}\uFFFD`],
  ])('never keep an end or a refusal from being read: %s', (_what, detail, stored) => {
    expect(readEnd({ ...end, detail })).toMatchObject({ outcome: 'failed', detail: stored });
    expect(readRefuse({ ...ref, reason: 'noSlot', detail })).toMatchObject({ reason: 'noSlot', detail: stored });
  });

  it('never keep progress from being read', () => {
    expect(readProgress({ ...ref, fraction: 0.5, message: `\0${'y'.repeat(2_000)}` }).message).toBe(`\uFFFD${'y'.repeat(999)}`);
  });

  it('are refused where they are names', () => {
    expect(() => readEnd({ ...end, exit: { code: null, signal: 'SIG\0' } })).toThrow(InvalidMessage);
  });
});
