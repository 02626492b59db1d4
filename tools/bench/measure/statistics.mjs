/** The value below which `share` (0 to 1) of the values lie; NaN for none. */
export function percentile(values, share) {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** The middle value, of two middle ones the mean; NaN for none. */
export function median(values) {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** What is kept of many samples: enough to judge them, not the samples themselves. */
export function summaryOf(values) {
  const { length } = values;
  if (length === 0)
    return { count: 0, p50: Number.NaN, p95: Number.NaN, p99: Number.NaN, lowest: Number.NaN, highest: Number.NaN };
  return {
    count: length,
    p50: median(values),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
    lowest: values.reduce((a, b) => Math.min(a, b)),
    highest: values.reduce((a, b) => Math.max(a, b)),
  };
}
