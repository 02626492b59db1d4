const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const PATTERN = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/;

/** Reads `300ms`, `4s`, `5m`, `2h`, `30d` or bare seconds as milliseconds; `undefined` when it is none of them. */
export function parseDurationMs(text: string): number | undefined {
  const match = PATTERN.exec(text.trim().toLowerCase());
  if (!match) return undefined;
  const unit = (match[2] ?? 's') as keyof typeof UNIT_MS;
  const durationMs = Math.round(Number(match[1]) * UNIT_MS[unit]);
  return Number.isSafeInteger(durationMs) ? durationMs : undefined;
}

/** Writes milliseconds the shortest way that `parseDurationMs` reads back: `1500ms`, `4s`, `5m`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs !== 0 && durationMs % UNIT_MS[unit] === 0) return `${durationMs / UNIT_MS[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}
