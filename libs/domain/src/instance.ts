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

/** True when `other` is known to be an earlier start on the same state directory than `current`. */
export function isOlderInstance(other: string, current: string): boolean {
  const counts = [COUNTED.exec(other)?.[1], COUNTED.exec(current)?.[1]];
  return counts[0] !== undefined && counts[1] !== undefined && counts[0] < counts[1];
}
