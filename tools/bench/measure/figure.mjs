// A figure is one row of the report: what was measured, in which unit, how far the rounds lie apart, what this machine itself
// reached in the same run, and what we aim at. Pure: figures are built from numbers, printed and stored elsewhere.
import { median, summaryOf } from './statistics.mjs';

/**
 * A rate or a size, measured in several rounds.
 *
 * @param {object} facts
 * @param {string} facts.name what was measured, in words
 * @param {string} facts.unit
 * @param {readonly number[]} facts.values one per round
 * @param {{ name: string, values: readonly number[] }} [facts.limit] the machine's own figure, measured beside each round or once
 * @param {{ text: string, isReached: (facts: { value: number, ratio: number | null, limit: number | null }) => boolean }} [facts.aim]
 * @param {string} [facts.note]
 */
export function figureOf({ name, unit, values, limit, aim, note = '' }) {
  const value = median(values);
  const ratio = limit === undefined ? null : ratioOf(values, limit.values);
  return {
    kind: 'rounds',
    name,
    unit,
    value,
    lowest: Math.min(...values),
    highest: Math.max(...values),
    values: [...values],
    limit: limit === undefined ? null : { name: limit.name, value: median(limit.values) },
    ratio,
    aim: judged(aim, { value, ratio, limit: limit === undefined ? null : median(limit.values) }),
    note,
  };
}

/**
 * Latencies of single events, in milliseconds: the value is the median, the spread is told by p99.
 *
 * @param {object} facts
 * @param {string} facts.name
 * @param {readonly number[]} facts.values one per event
 * @param {{ name: string, values: readonly number[] }} [facts.limit]
 * @param {{ text: string, isReached: (facts: { value: number, p99: number, ratio: number | null, limit: number | null }) => boolean }} [facts.aim]
 * @param {string} [facts.note]
 */
export function latencyOf({ name, values, limit, aim, note = '' }) {
  const summary = summaryOf(values);
  const ratio = limit === undefined ? null : summary.p50 / median(limit.values);
  return {
    kind: 'latency',
    name,
    unit: 'ms',
    value: summary.p50,
    ...summary,
    limit: limit === undefined ? null : { name: limit.name, value: median(limit.values) },
    ratio,
    aim: judged(aim, {
      value: summary.p50,
      p99: summary.p99,
      ratio,
      limit: limit === undefined ? null : median(limit.values),
    }),
    note,
  };
}

/** Something a reader should know where a figure would stand: a feature that is not there yet, a tool that is missing. */
export function remarkOf(name, note) {
  return { kind: 'remark', name, unit: '', value: Number.NaN, limit: null, ratio: null, aim: null, note };
}

/** An aim that compares with the machine: at least this share of the limit. */
export const atLeastShare = (share) => ({
  text: `>= ${share} of it`,
  isReached: ({ ratio }) => ratio !== null && ratio >= share,
});

export const atLeast = (least, unit) => ({ text: `>= ${least} ${unit}`, isReached: ({ value }) => value >= least });

export const atMost = (most, unit) => ({ text: `<= ${most} ${unit}`, isReached: ({ value }) => value <= most });

/** Round by round where both were measured side by side, because machine and product then had the same neighbours. */
function ratioOf(values, limits) {
  if (values.length === limits.length) return median(values.map((value, index) => value / limits[index]));
  return median(values) / median(limits);
}

function judged(aim, facts) {
  return aim === undefined ? null : { text: aim.text, isReached: aim.isReached(facts) };
}
