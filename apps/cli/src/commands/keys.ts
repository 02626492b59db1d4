import { ROLES, isId, type KeyView, type Role } from '@muster/protocol';
import type { Muster } from '@muster/client';
import { InvalidArgumentError, Option } from 'commander';
import type { Declare } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageFailure } from '../failure.js';
import { duration, plain } from '../render/text.js';
import type { Session } from '../session.js';
import { toSeconds } from '../submission/units.js';

interface CreateFlags {
  readonly name: string;
  readonly role: Role;
  readonly owner?: string;
  readonly expires?: string;
}

export const declare: Declare = (program, bind) => {
  const keys = program
    .command('keys')
    .summary('Create, list and revoke keys.')
    .description("Create, list and revoke keys. Needs an admin's key.");
  const creating = keys
    .command('create')
    .summary('Make a key and print its secret once.')
    .description('Make a key. Its secret is printed to stdout, this once; it is stored nowhere.')
    .requiredOption('--name <text>', 'What it is for.')
    .addOption(new Option('--role <role>', 'What it may do; `worker` for agents.').choices(ROLES).makeOptionMandatory())
    .option('--owner <name>', 'Who answers for it; you unless given.')
    .option(
      '--expires <when>',
      'When it stops working: a time from now (30d) or a moment (2027-01-01T00:00:00Z).',
      toMoment,
    );
  bind(creating, create);
  bind(keys.command('list').alias('ls').summary('List keys.').description('List keys, without their secrets.'), list);
  const revoking = keys
    .command('revoke')
    .summary('End a key now.')
    .description('End a key: it is refused from now on, and its connections are closed.')
    .argument('<keys...>', 'Ids, or names that only one key has.');
  bind(revoking, revoke);
};

async function create(session: Session, flags: CreateFlags): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const key = await muster.keys.create(
    { name: flags.name, role: flags.role, owner: flags.owner, expiresAt: flags.expires },
    { signal },
  );
  if (output.isJson) return output.document(key);
  await output.line(key.secret);
  output.note(`Key ${key.id} (${key.role}, owner ${plain(key.owner)}). Its secret is shown this once: keep it now.`);
}

async function list(session: Session): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const keys = await muster.keys.list({ signal });
  if (output.isJson) return output.document(keys);
  const { table } = await import('../render/table.js');
  const now = Date.now();
  const ago = (at: string | null): string => (at === null ? '' : `${duration(now - Date.parse(at))} ago`);
  const rows = keys.map((key) => [
    key.id,
    plain(key.name),
    key.role,
    plain(key.owner),
    key.prefix,
    state(key, now),
    ago(key.createdAt),
    ago(key.lastUsedAt),
  ]);
  await output.line(table(['ID', 'NAME', 'ROLE', 'OWNER', 'PREFIX', 'STATE', 'CREATED', 'LAST USED'], rows));
}

async function revoke(session: Session, _flags: object, references: readonly string[]): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const revoked: string[] = [];
  for (const reference of references) {
    const id = await resolveKey(muster, reference, signal);
    await muster.keys.revoke(id, { signal });
    revoked.push(id);
    if (!output.isJson) output.note(`${id} revoked`);
  }
  if (output.isJson) await output.document(revoked.map((id) => ({ id, revoked: true })));
}

async function resolveKey(muster: Muster, reference: string, signal: AbortSignal): Promise<string> {
  if (isId('key', reference)) return reference;
  const found = (await muster.keys.list({ signal })).filter(
    (key) => key.revokedAt === null && (key.name === reference || key.id.startsWith(reference)),
  );
  const [key] = found;
  if (key !== undefined && found.length === 1) return key.id;
  if (key === undefined) {
    throw new Failure({
      code: 'notFound',
      exitCode: EXIT.notFound,
      what: `There is no key ${JSON.stringify(reference)}.`,
      next: 'muster keys list',
    });
  }
  throw usageFailure(
    `Several keys could be meant by ${JSON.stringify(reference)}.`,
    'Name one by its id.',
    found.map(({ id }) => id).join(', '),
  );
}

function state(key: KeyView, now: number): string {
  if (key.revokedAt !== null) return 'revoked';
  if (key.expiresAt === null) return 'active';
  const leftMs = Date.parse(key.expiresAt) - now;
  return leftMs <= 0 ? 'expired' : `active, ${duration(leftMs)} left`;
}

function toMoment(text: string): string {
  if (/^\d{4}-/.test(text)) {
    if (Number.isNaN(Date.parse(text)))
      throw new InvalidArgumentError(`Give a moment as in 2027-01-01T00:00:00Z, not ${JSON.stringify(text)}.`);
    return new Date(text).toISOString();
  }
  return new Date(Date.now() + toSeconds(text) * 1_000).toISOString();
}
