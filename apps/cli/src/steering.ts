import type { Muster } from '@muster/client';
import type { JobView } from '@muster/protocol';
import { resolveJobId } from './job-reference.js';
import type { Session } from './session.js';

/** What else there is to know of a wish that was sent: nothing, unless its worker does not answer. Follows a sentence. */
export function hintOf({ workerLink, reasonText }: JobView): string {
  return workerLink === 'unreachable' ? `; ${reasonText.sentence} ${reasonText.action}` : '';
}

/**
 * Does the same to every job named, in their order, and says what became of each. All names are understood before the
 * first job is touched; one that several jobs have is the only unfinished one's.
 */
export async function steer(
  session: Session,
  references: readonly string[],
  act: (muster: Muster, id: string) => Promise<JobView>,
  words: (job: JobView) => string,
): Promise<void> {
  const muster = await session.muster();
  const { output } = session;
  const ids = await Promise.all(references.map((reference) => resolveJobId(session, reference, 'unfinished')));
  const jobs: JobView[] = [];
  for (const id of ids) {
    const job = await act(muster, id);
    jobs.push(job);
    if (!output.isJson) output.note(`${job.id} ${words(job)}`);
  }
  if (output.isJson) await output.document(jobs.length === 1 ? jobs[0] : jobs);
}
