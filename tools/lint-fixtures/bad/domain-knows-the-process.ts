export const platform = (): string => process.platform;
