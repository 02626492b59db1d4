import type { Muster } from '@muster/client';
import type { WorkerView } from '@muster/protocol';
import { plain } from './render/text.js';
import type { Session } from './session.js';
import { resolveWorkers } from './worker-reference.js';

export interface Order {
  readonly act: (muster: Muster, workerId: string) => Promise<WorkerView>;
  /** What became of it, after its name. */
  readonly words: (worker: WorkerView) => string;
  /** Nothing is printed after this, so programs get their document now. */
  readonly isLast: boolean;
}

/** Orders the same of every worker named. All names are understood before the first worker is touched. */
export async function order(session: Session, references: readonly string[], { act, words, isLast }: Order): Promise<readonly WorkerView[]> {
  const muster = await session.muster();
  const { output } = session;
  const ordered: WorkerView[] = [];
  for (const { id } of await resolveWorkers(session, references)) {
    const worker = await act(muster, id);
    ordered.push(worker);
    if (!output.isJson) output.note(`${plain(worker.name)} ${words(worker)}`);
  }
  if (output.isJson && isLast) await output.document(ordered.length === 1 ? ordered[0] : ordered);
  return ordered;
}
