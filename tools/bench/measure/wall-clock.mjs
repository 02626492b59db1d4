/**
 * The machine's wall clock with the resolution of the monotonic one, so that moments taken in different processes can be
 * subtracted. Look again before each series: the wall clock is being steered while a process lives.
 *
 * @returns {() => number} milliseconds since 1970
 */
export function wallClock() {
  const before = Date.now();
  let tick = before;
  while (tick === before) tick = Date.now();
  const offset = tick - performance.now();
  return () => performance.now() + offset;
}
