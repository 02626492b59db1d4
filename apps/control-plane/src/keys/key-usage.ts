import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import type { KeyId } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import { LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import { KEYS_USED } from './keys.sql.js';

const FLUSH_EVERY_MS = 30_000;

/** Remembers which keys were used and writes them down in one statement now and then; may lose the last half minute. */
@Injectable()
export class KeyUsage implements OnModuleInit, OnModuleDestroy {
  private readonly used = new Set<KeyId>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  note(keyId: KeyId): void {
    this.used.add(keyId);
  }

  /** Never rejects: nothing depends on it. */
  async flush(): Promise<void> {
    if (this.used.size === 0) return;
    const keyIds = [...this.used];
    this.used.clear();
    await this.database.execute(KEYS_USED, [keyIds]).catch((error: unknown) => this.log.warn({ err: error }, 'key usage not stored'));
  }
}
