import { hostname } from 'os';

export const here = (): string => hostname();
