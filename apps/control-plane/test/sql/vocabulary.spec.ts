import {
  ATTEMPT_STATES, CAPABILITIES, DESIRED_STATES, FINAL_JOB_STATUSES, JOB_STATUSES, LOG_ENCODINGS, LOG_STREAMS, ROLES, WORKER_ADAPTERS, WORKER_LINKS,
  WORKER_STATUSES,
} from '@muster/protocol';
import { bareDatabase } from '../bare-database.js';
import { writtenStatements } from './written-statements.js';

/** What each check constraint that lists words must list. A constraint that is new must be named here. */
const CHECKED: Record<string, readonly string[]> = {
  api_key_role_check: ROLES,
  worker_capability_check: CAPABILITIES,
  worker_link_check: WORKER_LINKS,
  worker_adapter_check: WORKER_ADAPTERS,
  worker_reported_status_check: WORKER_STATUSES,
  // What was measured is not rolled up.
  sample_rollup_resolution_check: ['minute', 'hour'],
  job_status_check: JOB_STATUSES,
  job_desired_check: DESIRED_STATES,
  job_finished_iff_final: FINAL_JOB_STATUSES,
  job_held_iff_active: ['assigned', 'running', 'paused'],
  attempt_state_check: ATTEMPT_STATES,
  attempt_ended_has_outcome: ['ended'],
  attempt_ended_has_time: ['ended'],
  attempt_ended_has_no_lease: ['ended'],
  log_stream_stream_check: LOG_STREAMS,
  log_chunk_encoding_check: LOG_ENCODINGS,
};
const WORDS: Record<string, readonly string[]> = {
  status: JOB_STATUSES, desired: DESIRED_STATES, state: ATTEMPT_STATES, link: WORKER_LINKS, stream: LOG_STREAMS, encoding: LOG_ENCODINGS,
  role: ROLES,
};

describe('the words that PostgreSQL knows', () => {
  const database = bareDatabase();

  it('are those of the protocol, in every check constraint', async () => {
    const { rows } = await database.client.query<{ name: string; definition: string }>(
      `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace`,
    );
    const listed = rows.map(({ name, definition }) => [name, wordsIn(definition)] as const).filter(([, words]) => words.length > 0);
    const sorted = (entries: readonly (readonly [string, readonly string[]])[]): object =>
      Object.fromEntries(entries.map(([name, words]) => [name, [...words].sort()]).sort());
    expect(sorted(listed)).toEqual(sorted(Object.entries(CHECKED)));
  });

  it('are spelled as in the protocol, in every index and statement that compares with one', async () => {
    const { rows } = await database.client.query<{ text: string }>(`select indexdef as text from pg_indexes where schemaname = 'public'`);
    const texts = [...rows, ...writtenStatements()].map(({ text }) => text);
    const compared = texts.flatMap((text) => [...text.matchAll(/\b(status|desired|state|link|stream|encoding|role)\s*(?:=|<>|(?:not )?in)\s*(\([^)]*'[^)]*\)|'\w+')/g)]);
    expect(compared.length).toBeGreaterThan(30);
    const unknown = compared.flatMap(([, column, words]) => wordsIn(words ?? '').filter((word) => !WORDS[column ?? '']?.includes(word)));
    expect(unknown).toEqual([]);
  });
});

function wordsIn(text: string): string[] {
  return [...new Set([...text.matchAll(/'(\w+)'/g)].map(([, word]) => word ?? ''))];
}
