import { ID_PREFIXES, isId, type EnrolmentTokenView } from '@muster/protocol';
import type { Expiry } from '@muster/client';
import type { Command } from 'commander';
import type { Bind } from '../command.js';
import { usageFailure } from '../failure.js';
import { duration, plain } from '../render/text.js';
import type { Session } from '../session.js';
import { toExpiry } from '../submission/units.js';

interface CreateFlags {
  readonly name: string;
  readonly owner?: string;
  readonly expires?: Expiry;
}

/** `muster keys enrolment`: tokens by which machines get keys of their own. */
export function declareEnrolment(keys: Command, bind: Bind): void {
  const enrolment = keys
    .command('enrolment')
    .summary('Tokens by which machines get keys of their own.')
    .description('Create, list and revoke enrolment tokens. One machine exchanges a token, once, for a worker key of its own.');
  const creating = enrolment
    .command('create')
    .summary('Make a token and print it once.')
    .description(
      'Make a token, printed to stdout, this once. Give it to the agent of one machine as MUSTER_AGENT_ENROLMENT_TOKEN: it takes a key of its own for it and never needs the token again.',
    )
    .requiredOption('--name <text>', 'Which machine it is for.')
    .option('--owner <name>', 'Whose the worker will be; yours unless given.')
    .option('--expires <when>', 'Until when it can be used: a time from now (2h) or a moment; a day unless given.', toExpiry);
  bind(creating, create);
  bind(
    enrolment.command('list').alias('ls').summary('List tokens.').description('List tokens, used and ended ones too, without their secrets.'),
    list,
  );
  const revoking = enrolment
    .command('revoke')
    .summary('End a token now.')
    .description('End a token: no machine can use it any more. A key that was made of it lives on; end that with `muster keys revoke`.')
    .argument('<tokens...>', 'Ids (enr_…), as in `muster keys enrolment list`.');
  bind(revoking, revoke);
}

async function create(session: Session, flags: CreateFlags): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const made = await muster.keys.createEnrolmentToken({ name: flags.name, owner: flags.owner, ...flags.expires }, { signal });
  if (output.isJson) return output.document(made);
  await output.line(made.token);
  output.note(`Token ${made.id} (owner ${plain(made.owner)}), good for one machine until ${made.expiresAt}. It is shown this once: keep it now.`);
}

async function list(session: Session): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const tokens = await muster.keys.listEnrolmentTokens({ signal });
  if (output.isJson) return output.document(tokens);
  const { table } = await import('../render/table.js');
  const now = Date.now();
  const rows = tokens.map((token) => [
    token.id,
    plain(token.name),
    plain(token.owner),
    token.prefix,
    state(token, now),
    `${duration(now - Date.parse(token.createdAt))} ago`,
    token.keyId ?? '',
  ]);
  await output.line(table(['ID', 'NAME', 'OWNER', 'PREFIX', 'STATE', 'CREATED', 'KEY'], rows));
}

async function revoke(session: Session, _flags: object, ids: readonly string[]): Promise<void> {
  const stranger = ids.find((id) => !isId(ID_PREFIXES.enrolmentToken, id));
  if (stranger !== undefined) {
    throw usageFailure(`${JSON.stringify(stranger)} is not the id of a token.`, 'muster keys enrolment list');
  }
  const muster = await session.muster();
  const { output, signal } = session;
  for (const id of ids) {
    await muster.keys.revokeEnrolmentToken(id, { signal });
    if (!output.isJson) output.note(`${id} revoked`);
  }
  if (output.isJson) await output.document(ids.map((id) => ({ id, revoked: true })));
}

function state(token: EnrolmentTokenView, now: number): string {
  if (token.usedAt !== null) return 'used';
  if (token.revokedAt !== null) return 'revoked';
  const leftMs = Date.parse(token.expiresAt) - now;
  return leftMs <= 0 ? 'expired' : `open, ${duration(leftMs)} left`;
}
