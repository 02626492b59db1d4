import { FIRST_HELLO_WITHIN_MS, FirstHello, LateFirstHello } from './first-hello.js';

describe('the first hello of a connection', () => {
  let nowMs = 5;
  const clock = { nowMs: () => 0, monotonicMs: () => nowMs, sleep: () => Promise.resolve() };

  it('is taken while its connection is young', () => {
    const first = new FirstHello(clock);
    nowMs += FIRST_HELLO_WITHIN_MS;
    expect(() => first.check()).not.toThrow();
  });

  it('is refused when it has lain somewhere for long', () => {
    const first = new FirstHello(clock);
    nowMs += FIRST_HELLO_WITHIN_MS + 1;
    expect(() => first.check()).toThrow(LateFirstHello);
  });
});
