export const startedAt = (): string => new Date().toISOString();
