import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

/** A database that takes longer is no database. */
const PATIENCE_MS = 2_000;

@Injectable()
export class Readiness {
  constructor(private readonly database: Database) {}

  /** Never rejects and never takes longer than two seconds. */
  async look(): Promise<{ readonly status: number; readonly word: string }> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), PATIENCE_MS);
    });
    const isReady = await Promise.race([this.database.ping().then(() => true, () => false), late]);
    clearTimeout(timer);
    return isReady ? { status: 200, word: 'ok' } : { status: 503, word: 'unavailable' };
  }
}
