/** How what a job measured looks in a table: the last value of each metric, its range, and its curve. */
import type { MetricPointView } from '@muster/protocol';
import { plain, shorten } from './text.js';

const HEAD = ['METRIC', 'LAST', 'MIN', 'MAX', 'POINTS', 'CURVE'];
const NAME_WIDTH = 32;
const CURVE_WIDTH_MIN = 8;
const CURVE_WIDTH_MAX = 60;
const COLUMN_GAP = 2;
const LEVELS = [...'▁▂▃▄▅▆▇█'];
const UNKNOWN = '·';

/** Head and a row per metric, in the order in which they were first measured; curves are as wide as `columns` lets them be. */
export function metricRows(points: readonly MetricPointView[], columns: number): string[][] {
  const series = new Map<string, number[]>();
  for (const { values } of points) {
    for (const [name, value] of Object.entries(values)) {
      const known = series.get(name) ?? [];
      if (known.length === 0) series.set(name, known);
      // What is no number in JSON travels as a word: "NaN", "Infinity".
      known.push(Number(value));
    }
  }
  const cells = [...series].map(([name, values]) => {
    const { least, most } = rangeOf(values);
    return [shorten(plain(name), NAME_WIDTH), short(values.at(-1) ?? NaN), short(least), short(most), String(values.length)];
  });
  const widths = HEAD.slice(0, -1).map((head, column) => Math.max(head.length, ...cells.map((row) => [...(row[column] ?? '')].length)));
  const room = columns - widths.reduce((sum, width) => sum + width + COLUMN_GAP, 0);
  const width = Math.max(CURVE_WIDTH_MIN, Math.min(CURVE_WIDTH_MAX, room));
  return [HEAD, ...[...series.values()].map((values, index) => [...(cells[index] ?? []), curve(values, width)])];
}

/**
 * At most `width` bars, the lowest for the least value and the highest for the greatest. Where several values share a bar it
 * shows the one that is farthest from the mean, so that no peak is lost; `·` stands for what is no number.
 */
export function curve(values: readonly number[], width: number): string {
  const { least, most } = rangeOf(values);
  const finite = values.filter(Number.isFinite);
  const usual = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const count = Math.min(width, values.length);
  const bars = Array.from({ length: count }, (_bar, index) => {
    const shared = values.slice(Math.floor((index * values.length) / count), Math.floor(((index + 1) * values.length) / count));
    return shared.reduce((kept, value) => (Math.abs(value - usual) > Math.abs(kept - usual) || !Number.isFinite(kept) ? value : kept));
  });
  return bars.map((value) => bar(value, least, most)).join('');
}

function bar(value: number, least: number, most: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  const share = most > least ? (value - least) / (most - least) : 0;
  return LEVELS[Math.round(share * (LEVELS.length - 1))] ?? UNKNOWN;
}

/** Of the finite values; NaN where there are none. */
function rangeOf(values: readonly number[]): { least: number; most: number } {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least <= most ? { least, most } : { least: NaN, most: NaN };
}

/** Four digits, which is what curves are compared by. */
function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}
