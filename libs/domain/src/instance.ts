/**
 * The id of one start of an agent. It begins with the count of starts of its state directory, so that a hello which was
 * sent by an earlier start, and arrives after that of a later one, is recognised as late instead of taking the worker over.
 */
const COUNTED = /^(\d{10})-/;

/**
 * @param startCount how often an agent was started on this state directory, this start included; kept there, durably
 * @param random any text that no other start has
 */
export function newInstanceId(startCount: number, random: string): string {
  return `${String(startCount).padStart(10, '0')}-${random}`;
}

/**
 * The id of a start that nobody counted: one later than the newest that is known, for a program that keeps nothing.
 *
 * @param newest of the worker; null before its first
 */
export function nextInstanceId(newest: string | null, random: string): string {
  return newInstanceId(Number(COUNTED.exec(newest ?? '')?.[1] ?? 0) + 1, random);
}

/**
 * True when `other` has to give way to `current`: it is an earlier start on the same state directory. Two starts with the
 * same count are copies of one another; the order of their names decides between them, or each late hello of the one would
 * take the worker from the other until both have left.
 */
export function isOlderInstance(other: string, current: string): boolean {
  return COUNTED.test(other) && COUNTED.test(current) && other < current;
}
