import type { Muster } from '@muster/client';
import type { JobView, WorkerView } from '@muster/protocol';
import { collect } from './collect.js';
import { firstOf, onlyOne, readReference } from './references.js';
import type { Session } from './session.js';

const WORDS = { noun: 'worker', list: 'muster workers' };

/** The worker that is meant: by id, by the beginning of its id, or by its name. Fails, naming the candidates. */
export async function resolveWorker(session: Session, text: string): Promise<WorkerView> {
  const muster = await session.muster();
  const { signal } = session;
  const reference = readReference(text, 'wkr');
  if (reference.kind === 'id') return muster.workers.get(reference.id, { signal });
  const isMeant = ({ id, name }: WorkerView): boolean =>
    reference.kind === 'prefix' ? id.startsWith(reference.prefix) : name === reference.name;
  const some = muster.workers.list({ text: reference.kind === 'name' ? reference.name : undefined, pageSize: 200, signal });
  return onlyOne(text, await firstOf(some, isMeant), WORDS);
}

/** All of them, each once, before the first is touched. */
export async function resolveWorkers(session: Session, texts: readonly string[]): Promise<readonly WorkerView[]> {
  const workers = await Promise.all(texts.map((text) => resolveWorker(session, text)));
  return [...new Map(workers.map((worker) => [worker.id, worker])).values()];
}

/** The jobs it has a process of, or is about to. */
export function heldJobs(muster: Muster, workerId: string, signal: AbortSignal): Promise<readonly JobView[]> {
  return collect(muster.jobs.list({ workerId, status: ['assigned', 'running', 'paused'], pageSize: 200, signal }));
}
