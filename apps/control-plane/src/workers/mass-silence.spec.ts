import type { WorkerId } from '@muster/protocol';
import { silentTogether, type LastBeat } from './mass-silence.js';

const W = 60_000;
/** One worker per number: how long it has been silent, in units of W. */
function fleet(...silentInW: number[]): LastBeat[] {
  return silentInW
    .map((factor, index) => ({ id: `w${index}@${factor}` as WorkerId, silent_ms: factor * W }))
    .sort((left, right) => left.silent_ms - right.silent_ms);
}
const spared = (...silentInW: number[]): number => silentTogether(fleet(...silentInW), W).size;

describe('many workers that fall silent', () => {
  it('within one W, five or more and most of the fleet, are spared', () => {
    expect(spared(0, 0, 0, 0, 6, 6.1, 6.2, 6.3, 6.9)).toBe(5);
    expect(spared(6, 6, 6, 6, 6)).toBe(5);
  });

  it('are not spared when they are fewer than five', () => {
    expect(spared(6, 6, 6, 6)).toBe(0);
  });

  it('are not spared when half of the fleet is still heard', () => {
    expect(spared(0, 0, 0, 0, 0, 6, 6, 6, 6, 6)).toBe(0);
    expect(spared(0, 0, 0, 0, 6, 6, 6, 6, 6)).toBe(5);
  });

  it('are not spared when they did so one after the other', () => {
    expect(spared(2, 4, 6, 8, 10, 12)).toBe(0);
  });

  it('are counted against those that were connected then, also if these fell silent later', () => {
    expect(spared(1.1, 1.2, 1.3, 1.1, 1.2, 6, 6, 6, 6, 6)).toBe(5);
    expect(silentTogether(fleet(1.1, 1.2, 1.3, 1.1, 1.2, 6, 6, 6, 6, 6), W)).toEqual(
      new Set(fleet(1.1, 1.2, 1.3, 1.1, 1.2, 6, 6, 6, 6, 6).filter((beat) => beat.silent_ms < 2 * W).map((beat) => beat.id)),
    );
  });

  it('do not protect one that fell silent long before them', () => {
    const beats = fleet(6, 6, 6, 6, 6, 30);
    expect([...silentTogether(beats, W)]).not.toContain(beats.at(-1)?.id);
  });

  it('do not exist in a fleet that is heard', () => {
    expect(spared(0, 0.5, 0.9, 0.1, 0, 0)).toBe(0);
    expect(spared()).toBe(0);
  });
});
