import { TIMES } from '@muster/protocol';
import { FirstHello, LateFirstHello } from './first-hello.js';

describe('the first hello of a connection', () => {
  let nowMs = 5;
  const clock = { nowMs: () => 0, monotonicMs: () => nowMs, sleep: () => Promise.resolve() };

  it('is taken while its connection is young', () => {
    const first = new FirstHello(clock);
    nowMs += TIMES.firstHelloWithinMs;
    expect(() => first.check()).not.toThrow();
  });

  it('is refused when it has lain somewhere for long', () => {
    const first = new FirstHello(clock);
    nowMs += TIMES.firstHelloWithinMs + 1;
    expect(() => first.check()).toThrow(LateFirstHello);
  });
});
