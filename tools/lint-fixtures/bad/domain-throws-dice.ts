export const jitter = (delayMs: number): number => delayMs * Math.random();
