import type { DataSource } from 'typeorm';

export const open = (source: DataSource): DataSource => source;
