export const length = (value: object): number => (value as any).length;
