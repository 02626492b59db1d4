import { ROLES, isId, type KeyView, type Role } from '@muster/protocol';
import type { Expiry, Muster } from '@muster/client';
import { Option } from 'commander';
import type { Declare } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageFailure } from '../failure.js';
import { duration, plain } from '../render/text.js';
import type { Session } from '../session.js';
import { toExpiry, toGraceSeconds } from '../submission/units.js';
import { declareEnrolment } from './enrolment.js';

interface CreateFlags {
  readonly name: string;
  readonly role: Role;
  readonly owner?: string;
  readonly expires?: Expiry;
}

interface RotateFlags {
  readonly overlap?: number;
}

export const declare: Declare = (program, bind) => {
  const keys = program
    .command('keys')
    .summary('Create, list, rotate and revoke keys; enrol machines.')
    .description("Create, list, rotate and revoke keys, and enrol machines by one-time tokens. Needs an admin's key.");
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
      toExpiry,
    );
  bind(creating, create);
  bind(keys.command('list').alias('ls').summary('List keys.').description('List keys, without their secrets.'), list);
  const rotating = keys
    .command('rotate')
    .summary('Give a key a new secret.')
    .description(
      'Give a key a new secret, printed to stdout, this once. The secret before goes on working for the overlap, so that nothing stops while the new one is handed out.',
    )
    .argument('<key>', 'Its id, or a name that only one key has.')
    .option(
      '--overlap <time>',
      'How long the secret before goes on working (90s, 2h, 7d); a day unless given, 0 ends it at once.',
      toGraceSeconds,
    );
  bind(rotating, rotate);
  const revoking = keys
    .command('revoke')
    .summary('End a key now.')
    .description(
      'End a key: it is refused from now on, and its connections are closed. Jobs that its workers run are neither renewed nor ended by them; each goes elsewhere when its lease is over.',
    )
    .argument('<keys...>', 'Ids, or names that only one key has.');
  bind(revoking, revoke);
  declareEnrolment(keys, bind);
};

async function create(session: Session, flags: CreateFlags): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const key = await muster.keys.create(
    { name: flags.name, role: flags.role, owner: flags.owner, ...flags.expires },
    { signal },
  );
  if (output.isJson) return output.document(key);
  await output.line(key.secret);
  output.note(`Key ${key.id} (${key.role}, owner ${plain(key.owner)}). Its secret is shown this once: keep it now.`);
}

async function rotate(session: Session, flags: RotateFlags, reference: string): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const id = await resolveKey(muster, reference, signal);
  const key = await muster.keys.rotate(id, { overlapSeconds: flags.overlap }, { signal });
  if (output.isJson) return output.document(key);
  await output.line(key.secret);
  const before = key.overlapEndsAt === null ? 'The secret before works no more.' : `The secret before works until ${key.overlapEndsAt}.`;
  output.note(`Key ${key.id} (${key.role}, ${plain(key.name)}) has a new secret, shown this once: keep it now. ${before}`);
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
  const leftMs = key.expiresAt === null ? Infinity : Date.parse(key.expiresAt) - now;
  if (leftMs <= 0) return 'expired';
  const overlapMs = key.overlapEndsAt === null ? 0 : Date.parse(key.overlapEndsAt) - now;
  const parts = [
    'active',
    ...(leftMs === Infinity ? [] : [`${duration(leftMs)} left`]),
    ...(overlapMs > 0 ? [`old secret ${duration(overlapMs)} more`] : []),
  ];
  return parts.join(', ');
}
