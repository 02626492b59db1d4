export const platform = (): unknown => globalThis.process;
