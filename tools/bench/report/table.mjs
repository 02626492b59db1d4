// The printed report. Pure: figures in, lines out.

/** As many digits as the size of the number is worth. */
export function shown(value, unit = '') {
  if (value === null || value === undefined || Number.isNaN(value)) return '-';
  const size = Math.abs(value);
  const digits = size >= 100 || (Number.isInteger(value) && size >= 1) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const text = digits === 0 ? Math.round(value).toLocaleString('en-US') : value.toFixed(digits);
  return unit ? `${text} ${unit}` : text;
}

/** The cells of one figure. */
export function cellsOf(figure) {
  const { name, unit, value, limit, ratio, aim, note } = figure;
  return [
    name,
    figure.kind === 'remark' ? '' : shown(value, unit),
    spreadOf(figure),
    limit === null ? '' : `${shown(limit.value)} ${limit.name}`,
    ratio === null ? '' : shown(ratio),
    aim === null ? '' : `${aim.text}: ${aim.isReached ? 'reached' : 'NOT reached'}`,
    note,
  ];
}

function spreadOf(figure) {
  if (figure.kind === 'latency') return `p99 ${shown(figure.p99)}, n ${figure.count}`;
  if (figure.kind !== 'rounds' || figure.values.length < 2) return '';
  return `${shown(figure.lowest)} to ${shown(figure.highest)}`;
}

const HEAD = ['figure', 'median', 'spread', 'limit of this machine, same run', 'ratio', 'aim', 'note'];

/** A Markdown table whose columns are aligned, so that it reads well in a terminal too. */
export function tableOf(figures) {
  const rows = [HEAD, ...figures.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
  const line = (cells) =>
    `| ${cells.map((cell, column) => (column === 6 ? cell : cell.padEnd(widths[column]))).join(' | ')} |`;
  return [
    line(HEAD),
    `|${widths.map((width, column) => '-'.repeat(column === 6 ? 6 : width + 2)).join('|')}|`,
    ...rows.slice(1).map(line),
  ];
}

/** Figures under headings. */
export function reportOf({ suite, conditions, sections }) {
  const lines = [`Suite ${suite}`, ...conditions.map((condition) => `  ${condition}`)];
  for (const { title, figures } of sections) lines.push('', `## ${title}`, '', ...tableOf(figures));
  return lines;
}
