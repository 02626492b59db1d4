/** What people set in the place of what an agent says of its machine. It outlives every hello; given back, the agent's word counts again. */
import type { UpdateWorkerDto } from '@muster/dto';
import type { Capability, WorkerId, WorkerSaid } from '@muster/protocol';
import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../../database/connection-pool.js';
import { storeEvents } from '../../engine/store-slice.js';
import { WORKER_WORDS_LOCK, WORKER_WORDS_STORE } from './orders.sql.js';

type Words = Omit<WorkerSaid, 'slots'>;
const NAMES = ['name', 'labels', 'contentTypes', 'capability'] as const satisfies readonly (keyof Words)[];
/** Null gives the word back to the agent; undefined leaves it as it is. */
type Wishes = Omit<UpdateWorkerDto, 'slots'>;

interface WordsRow {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly content_types: readonly string[];
  readonly capability: Capability;
  readonly overrides: Partial<Words>;
  readonly said: Words | null;
  readonly removed_at: Date | null;
}

/** In a transaction of its own. */
export async function setWords(connection: Connection, workerId: WorkerId, wishes: Wishes, actor: string): Promise<'set' | 'removed' | 'unknown'> {
  const [row] = await connection.query<WordsRow>(WORKER_WORDS_LOCK, [workerId]);
  if (row === undefined) return 'unknown';
  if (row.removed_at !== null) return 'removed';
  const shown: Words = { name: row.name, labels: row.labels, contentTypes: row.content_types, capability: row.capability };
  const said = row.said ?? shown;
  const overrides = withWishes(row.overrides, wishes);
  const words: Words = { ...said, ...overrides };
  await connection.execute(WORKER_WORDS_STORE, [
    workerId, JSON.stringify(overrides), JSON.stringify(said), words.name, JSON.stringify(words.labels), words.contentTypes, words.capability,
  ]);
  const changed = NAMES.filter((name) => !isDeepStrictEqual(words[name], shown[name]));
  if (changed.length > 0) {
    const event = { type: 'worker.changed', actor, jobId: null, attemptId: null, workerId, data: { changed } } as const;
    await storeEvents(connection, [event], Date.now());
  }
  return 'set';
}

function withWishes(overrides: Partial<Words>, wishes: Wishes): Partial<Words> {
  const wished = Object.entries(wishes).filter(([, word]) => word !== undefined);
  return Object.fromEntries(Object.entries({ ...overrides, ...Object.fromEntries(wished) }).filter(([, word]) => word !== null)) as Partial<Words>;
}
