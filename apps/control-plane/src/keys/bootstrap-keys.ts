import { chmod, open, rename } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Role } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER } from '../core.module.js';
import { ADVISORY_LOCK, ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { Database } from '../database/database.js';
import { KEY_OF_ROLE_EXISTS } from './keys.sql.js';
import { insertKey } from './keys.service.js';

const OWNER = 'admin';

/**
 * Makes the first keys: an admin's always, a worker's where a file for it is configured. Each goes into a file of mode
 * 0600 before its row is committed: a crash between the two leaves a file with a key that does not work, and the next
 * start replaces it. Without a file the admin key is printed, this once.
 */
@Injectable()
export class BootstrapKeys {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Called once at each start, before anybody is heard; may be repeated. */
  async ensure(): Promise<void> {
    await this.ensureOne('admin', 'first admin key', this.config.bootstrapAdminKeyFile);
    if (this.config.bootstrapWorkerKeyFile !== undefined) {
      await this.ensureOne('worker', 'local worker', this.config.bootstrapWorkerKeyFile);
    }
  }

  private async ensureOne(role: Role, name: string, file: string | undefined): Promise<void> {
    const made = await this.database.transaction(async (connection) => {
      await connection.execute(ADVISORY_LOCK, [ADVISORY_LOCKS.keys]);
      if ((await connection.query(KEY_OF_ROLE_EXISTS, [role])).length > 0) return undefined;
      const key = await insertKey(connection, { name, role, owner: OWNER }, 'muster');
      // Before the commit: a key that nobody can read must not exist. A file left by a commit that failed is replaced.
      if (file !== undefined) await writePrivately(file, `${key.secret}\n`);
      return key;
    });
    if (made === undefined) return;
    // After it: what was shown cannot be taken back, and this may be tried again.
    if (file === undefined) printOnce(made.secret);
    this.log.info({ role, keyId: made.id, file }, 'first key made');
  }
}

/** To the terminal and not to the log, which masks keys. */
function printOnce(secret: string): void {
  process.stderr.write(`\nAdmin key (shown this once, keep it): ${secret}\n\n`);
}

/** Whole or not at all: a reader never sees half a key. */
async function writePrivately(file: string, text: string): Promise<void> {
  const scratch = `${file}.${process.pid}.new`;
  const handle = await open(scratch, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(scratch, 0o600);
  await rename(scratch, file);
}
