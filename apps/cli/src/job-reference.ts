import { JOB_STATUSES, type JobStatus, type JobView } from '@muster/protocol';
import { isFinal, type Muster } from '@muster/client';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';
import { lastJob } from './last-job.js';
import { firstOf, onlyOne, readReference, type ThingReference } from './references.js';
import type { Session } from './session.js';

/** How people name a job. */
export type Reference = { readonly kind: 'last' } | ThingReference;

const WORDS = { noun: 'job', list: 'muster ps -a' };

/** Reads a reference by its form alone. Ids may be typed in any case, and without `job_` when they are long enough to tell. */
export function toReference(text: string): Reference {
  return text === '@last' ? { kind: 'last' } : readReference(text, 'job');
}

/** Statuses of jobs that have not ended. */
export const UNFINISHED = JOB_STATUSES.filter((status) => !isFinal(status));

/**
 * The job that is meant. Fails, naming the candidates, when none or several could be. What only makes sense for a job
 * that has not ended prefers those: of a name, the old ones do not count where one goes on.
 */
export async function resolveJob(session: Session, text: string, prefers: 'any' | 'unfinished' = 'any'): Promise<JobView> {
  const muster = await session.muster();
  const { signal } = session;
  const reference = toReference(text);
  switch (reference.kind) {
    case 'last':
      return muster.jobs.get(await lastJobId(session, muster), { signal });
    case 'id':
      return muster.jobs.get(reference.id, { signal });
    case 'prefix':
      return onlyOne(text, await firstOf(muster.jobs.list({ idPrefix: reference.prefix, pageSize: 200, signal })), WORDS);
    case 'name': {
      const { name } = reference;
      const named = (status?: readonly JobStatus[]): Promise<readonly JobView[]> =>
        firstOf(muster.jobs.list({ text: name, status, pageSize: 200, signal }), (job) => job.name === name);
      const unfinished = prefers === 'unfinished' ? await named(UNFINISHED) : [];
      return onlyOne(text, unfinished.length > 0 ? unfinished : await named(), WORDS);
    }
  }
}

/** The id that is meant, without asking the control plane when it stands there already. */
export async function resolveJobId(session: Session, text: string, prefers: 'any' | 'unfinished' = 'any'): Promise<string> {
  const reference = toReference(text);
  return reference.kind === 'id' ? reference.id : (await resolveJob(session, text, prefers)).id;
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
