import { decideRestart } from './restarts.js';

describe('the restart of a service', () => {
  it('waits longer after each of several deaths', () => {
    const waits = [1, 2, 3, 4].map((count) =>
      decideRestart(
        1,
        Array.from({ length: count }, () => 1_000),
        1_000,
      ),
    );
    expect(waits).toEqual([250, 500, 1_000, 2_000].map((restartAfterMs) => ({ restartAfterMs })));
  });

  it('is given up when the service dies for the fifth time within 30 s', () => {
    expect(decideRestart(1, [0, 10_000, 20_000, 25_000, 29_999], 29_999)).toEqual({
      giveUp: 'it ended 5 times within 30 s',
    });
  });

  it('goes on when five deaths are spread over a longer time', () => {
    expect(decideRestart(null, [0, 10_000, 20_000, 25_000, 30_000], 30_000)).toEqual({ restartAfterMs: 2_000 });
  });

  it('is given up at once when the service says that it can never work', () => {
    expect(decideRestart(78, [0], 0)).toEqual({ giveUp: 'its configuration can never work (exit code 78)' });
  });
});
