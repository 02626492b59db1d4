import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { Declare } from '../command.js';
import { usageFailure } from '../failure.js';
import type { Session } from '../session.js';
import { readStdin } from '../stdin.js';

interface ApiFlags {
  readonly data?: string;
  readonly idempotencyKey?: string;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

export const declare: Declare = (program, bind) => {
  const command = program
    .command('api')
    .summary('Make any REST request.')
    .description('Make any REST request with the key in use and print the JSON that answers.')
    .argument('<method>', METHODS.join(', '), toMethod)
    .argument('<path>', 'Below /api/v1, as in /jobs?status=failed.')
    .option('-d, --data <json>', 'Body: JSON, @file, or - for stdin.')
    .option('--idempotency-key <key>', 'Sent as Idempotency-Key.')
    .addHelpText('after', '\nExample:\n  muster api GET "/jobs?status=failed&limit=5"\n');
  bind(command, api);
};

async function api(session: Session, flags: ApiFlags, method: string, path: string): Promise<void> {
  const muster = await session.muster();
  const headers: Record<string, string> =
    flags.idempotencyKey === undefined ? {} : { 'idempotency-key': flags.idempotencyKey };
  const body = flags.data === undefined ? undefined : toJson(await readBody(flags.data));
  const answer = await muster.request(method, path.startsWith('/') ? path : `/${path}`, {
    body,
    headers,
    signal: session.signal,
  });
  if (answer !== null) await session.output.document(answer);
}

async function readBody(data: string): Promise<string> {
  if (data === '-') return readStdin();
  if (!data.startsWith('@')) return data;
  try {
    return await readFile(data.slice(1), 'utf8');
  } catch (error) {
    throw usageFailure(`The file ${data.slice(1)} cannot be read.`, 'Check its path.', String(error));
  }
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw usageFailure('The body is not JSON.', 'Quote it for your shell: -d \'{"name":"x"}\'', String(error));
  }
}

function toMethod(word: string): string {
  const method = word.toUpperCase();
  if (METHODS.includes(method)) return method;
  throw new InvalidArgumentError(`${JSON.stringify(word)} is none of ${METHODS.join(', ')}.`);
}
