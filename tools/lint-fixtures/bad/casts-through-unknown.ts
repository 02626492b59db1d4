export const length = (value: object): number => (value as unknown as string).length;
