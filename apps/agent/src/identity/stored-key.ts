import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ENROLMENT_PREFIX, KEY_PREFIXES } from '@muster/protocol';
import { writeDurably } from './state-directory.js';

/** Present once a machine was enrolled. */
export const KEY_FILE = 'key.json';
const ASKING_FILE = 'enrolment.json';
const ID_LENGTH = 26;

/**
 * What enrolment leaves in the state directory, readable by its owner only: the key, and while it is being asked for, the
 * random text by which the same machine may ask again.
 *
 * ```
 *  nothing ── remember(token) ──> asking ── keep(key) ──> key
 *                                   │ crash: the same text again, so the same key again
 * ```
 */
export class StoredKey {
  constructor(private readonly directory: string) {}

  /** The key that was made of this token, or of any where none is given. */
  async read(token: string | null): Promise<string | null> {
    const kept = await this.load(KEY_FILE);
    const { key, tokenId } = kept ?? {};
    if (typeof key !== 'string' || !key.startsWith(KEY_PREFIXES.worker)) return null;
    return token === null || tokenId === idOf(token) ? key : null;
  }

  /** The text to send with this token. On disk when it resolves, so that the answer can be had twice. */
  async remember(token: string): Promise<string> {
    const { tokenId, exchangeId } = (await this.load(ASKING_FILE)) ?? {};
    if (tokenId === idOf(token) && typeof exchangeId === 'string') return exchangeId;
    const made = randomBytes(32).toString('hex');
    await this.store(ASKING_FILE, { tokenId: idOf(token), exchangeId: made });
    return made;
  }

  /** On disk when it resolves; the token is not needed any more. */
  async keep(token: string, key: string): Promise<void> {
    await this.store(KEY_FILE, { key, tokenId: idOf(token) });
    await rm(join(this.directory, ASKING_FILE), { force: true });
  }

  private async load(name: string): Promise<Readonly<Record<string, unknown>> | null> {
    const text = await readFile(join(this.directory, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return 'null';
      throw error;
    });
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === 'object' && value !== null ? { ...value } : null;
    } catch {
      return null;
    }
  }

  private store(name: string, value: object): Promise<void> {
    return writeDurably(join(this.directory, name), `${JSON.stringify(value)}\n`);
  }
}

/** The part of a token that tells it from others and is no secret. */
function idOf(token: string): string {
  return token.slice(ENROLMENT_PREFIX.length, ENROLMENT_PREFIX.length + ID_LENGTH);
}
