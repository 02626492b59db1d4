import type { FreshDatabase } from '@muster/testing';
import pg from 'pg';
import { testDatabase } from './control-plane-harness.js';

export interface BareDatabase {
  readonly url: string;
  /** One connection, plainly. */
  readonly client: pg.Client;
}

/** For a file, or a `describe`, that needs the schema and no control plane: there from its first test to its last. */
export function bareDatabase(): BareDatabase {
  let fresh: FreshDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    fresh = await testDatabase();
    client = new pg.Client({ connectionString: fresh.url });
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await fresh?.drop();
  });
  return {
    get url() {
      return fresh.url;
    },
    get client() {
      return client;
    },
  };
}
