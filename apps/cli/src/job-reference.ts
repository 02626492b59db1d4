import { isId, type JobView } from '@muster/protocol';
import type { Muster } from '@muster/client';
import { EXIT } from './exit-codes.js';
import { Failure, usageFailure } from './failure.js';
import { lastJob } from './last-job.js';
import type { Session } from './session.js';

/** How people name a job. */
export type Reference =
  | { readonly kind: 'last' }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'name'; readonly name: string };

const BODY = /^[0-9A-HJKMNP-TV-Z]{1,26}$/;

/** Reads a reference by its form alone. Ids may be typed in any case, and without `job_` when they are long enough to tell. */
export function toReference(text: string): Reference {
  if (text === '@last') return { kind: 'last' };
  const hasPrefix = /^job_/i.test(text);
  const body = (hasPrefix ? text.slice(4) : text).toUpperCase();
  const id = `job_${body}`;
  if (isId('job', id)) return { kind: 'id', id };
  // Every id of this century begins with 01: a bare word that does not is a name.
  const isPrefix = BODY.test(body) && (hasPrefix || /^01[0-9A-Z]{4,}$/.test(body));
  return isPrefix ? { kind: 'prefix', prefix: id } : { kind: 'name', name: text };
}

/** The job that is meant. Fails, naming the candidates, when none or several could be. */
export async function resolveJob(session: Session, text: string): Promise<JobView> {
  const muster = await session.muster();
  const { signal } = session;
  const reference = toReference(text);
  switch (reference.kind) {
    case 'last':
      return muster.jobs.get(await lastJobId(session, muster), { signal });
    case 'id':
      return muster.jobs.get(reference.id, { signal });
    case 'prefix':
      return only(text, await some(muster, { idPrefix: reference.prefix }, signal));
    case 'name': {
      const found = await some(muster, { text: reference.name }, signal, (job) => job.name === reference.name);
      return only(text, found);
    }
  }
}

/** The id that is meant, without asking the control plane when it stands there already. */
export async function resolveJobId(session: Session, text: string): Promise<string> {
  const reference = toReference(text);
  return reference.kind === 'id' ? reference.id : (await resolveJob(session, text)).id;
}

async function lastJobId(session: Session, muster: Muster): Promise<string> {
  const remembered = lastJob(session.stateFolder, muster.url);
  if (remembered !== undefined) return remembered;
  const { owner } = await muster.me({ signal: session.signal });
  for await (const job of muster.jobs.list({ owner, pageSize: 1, signal: session.signal })) return job.id;
  throw new Failure({
    code: 'notFound',
    exitCode: EXIT.notFound,
    what: 'There is no last job: nothing was submitted yet.',
    next: 'muster run -- echo hello',
  });
}

const CANDIDATES_SHOWN = 5;

async function some(
  muster: Muster,
  filter: { readonly idPrefix?: string; readonly text?: string },
  signal: AbortSignal,
  fits: (job: JobView) => boolean = () => true,
): Promise<readonly JobView[]> {
  const found: JobView[] = [];
  for await (const job of muster.jobs.list({ ...filter, pageSize: 200, signal })) {
    if (fits(job)) found.push(job);
    if (found.length > CANDIDATES_SHOWN) break;
  }
  return found;
}

function only(text: string, found: readonly JobView[]): JobView {
  const [job] = found;
  if (job === undefined) {
    throw new Failure({
      code: 'notFound',
      exitCode: EXIT.notFound,
      what: `There is no job ${JSON.stringify(text)}.`,
      why: 'No id begins so and no job has this name.',
      next: 'List all jobs: muster ps -a',
    });
  }
  if (found.length === 1) return job;
  const shown = found.slice(0, CANDIDATES_SHOWN).map(({ id, name, status }) => `${id} (${name}, ${status})`);
  const more = found.length > CANDIDATES_SHOWN ? ', …' : '';
  throw usageFailure(
    `Several jobs could be meant by ${JSON.stringify(text)}.`,
    'Name one by its id.',
    `${shown.join(', ')}${more}`,
  );
}
