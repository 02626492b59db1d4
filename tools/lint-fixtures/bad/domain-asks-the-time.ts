export const isExpired = (expiresAt: number): boolean => expiresAt < Date.now();
