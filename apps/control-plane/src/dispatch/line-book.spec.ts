import type { WaitingLane } from './claim-plan.js';
import { LineBook } from './line-book.js';

const LANES: readonly WaitingLane[] = [{ lane: { id: 1, owner: 'ada', requirements: { needs: {}, runKind: 'command' } }, waiting: 3 }];

describe('who is known to stand in line', () => {
  it('is what the last look saw, for as long as the poll of dispatch takes', () => {
    const line = new LineBook();
    expect(line.known(0)).toEqual([]);
    line.beginLook()(LANES, 10_000);
    expect(line.known(11_499)).toEqual(LANES);
    expect(line.known(11_500)).toEqual([]);
  });

  it('is nobody once somebody may have come who was not seen', () => {
    const line = new LineBook();
    line.beginLook()(LANES, 10_000);
    line.forget();
    expect(line.known(10_001)).toEqual([]);
  });

  it('is not taken from a look that began before somebody came', () => {
    const line = new LineBook();
    const seen = line.beginLook();
    line.forget();
    seen(LANES, 10_000);
    expect(line.known(10_001)).toEqual([]);
  });
});
