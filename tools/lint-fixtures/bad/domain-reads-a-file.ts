import { readFileSync } from 'node:fs';

export const rules = (path: string): string => readFileSync(path, 'utf8');
