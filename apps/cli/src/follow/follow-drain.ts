import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerView } from '@muster/protocol';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { between, plain, shorten } from '../render/text.js';
import { drainText, jobs } from '../render/worker.js';
import type { Session } from '../session.js';
import { heldJobs } from '../worker-reference.js';

const LOOK_EVERY_MS = 500;
const JOBS_NAMED = 3;

/**
 * Shows how drains go on until nothing is left on these workers. On stderr: a line for each that changed. Somebody who puts
 * one back to service or removes it meanwhile ends it as a conflict, the time that is up as a wait that was too long.
 */
export async function followDrain(session: Session, begun: readonly WorkerView[], timeoutMs: number | null): Promise<number> {
  const { output, signal } = session;
  const untilMs = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  const said = new Map(begun.map((worker) => [worker.id, progressOf(worker)]));
  let workers = begun;
  try {
    while (workers.some(({ drain }) => drain?.state !== 'drained')) {
      if (performance.now() >= untilMs) throw timeIsUp(workers);
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
      workers = await Promise.all(workers.map((worker) => look(session, worker, said)));
    }
  } catch (error) {
    if (signal.aborted && !output.isJson) {
      const names = workers.map(({ name }) => plain(name)).join(' ');
      output.note(`Detached; the drain goes on. Take it back: muster undrain ${names}`);
    }
    throw error;
  }
  if (output.isJson) await output.document(workers.length === 1 ? workers[0] : workers);
  else for (const { name, drain } of workers) if (drain) output.note(`${plain(name)} is drained after ${between(drain.startedAt, drain.drainedAt, Date.now())}`);
  return EXIT.ok;
}

async function look(session: Session, before: WorkerView, said: Map<string, string>): Promise<WorkerView> {
  if (before.drain?.state === 'drained') return before;
  const { output, signal } = session;
  const muster = await session.muster();
  const worker = await muster.workers.get(before.id, { signal });
  if (worker.drain === null) throw takenBack(worker);
  if (worker.removedAt !== null && worker.drain.state !== 'drained') throw removed(worker);
  const progress = progressOf(worker);
  if (said.get(worker.id) === progress) return worker;
  said.set(worker.id, progress);
  if (output.isJson || worker.drain.state === 'drained') return worker;
  const held = await heldJobs(muster, worker.id, signal);
  const names = held.slice(0, JOBS_NAMED).map(({ name, id }) => `${shorten(plain(name), 30)} (${id})`);
  const more = held.length > JOBS_NAMED ? ` and ${held.length - JOBS_NAMED} more` : '';
  output.note(`${plain(worker.name)} ${drainText(worker, Date.now())}${names.length === 0 ? '' : `: ${names.join(', ')}${more}`}`);
  return worker;
}

/** What is worth a new line; time that passes is not. */
function progressOf({ drain }: WorkerView): string {
  return drain === null ? '' : [drain.state, drain.jobsLeft, drain.isOverdue, drain.policy, drain.deadlineAt].join(' ');
}

function takenBack({ name }: WorkerView): Failure {
  return new Failure({
    code: 'undrained',
    exitCode: EXIT.conflict,
    what: `${plain(name)} was put back to service meanwhile.`,
    next: `muster worker show ${plain(name)}`,
  });
}

/** Its drain goes no further: what it held was taken back from it. */
function removed({ id, name }: WorkerView): Failure {
  return new Failure({
    code: 'removed',
    exitCode: EXIT.conflict,
    what: `${plain(name)} was removed meanwhile, before it was drained.`,
    next: `muster worker show ${id}`,
  });
}

function timeIsUp(workers: readonly WorkerView[]): Failure {
  const left = workers.filter(({ drain }) => drain?.state !== 'drained');
  return new Failure({
    code: 'waitTimedOut',
    exitCode: EXIT.waitTimedOut,
    what: 'The time to wait is over; the drain goes on.',
    why: left.map(({ name, drain }) => `${plain(name)} still has ${jobs(drain?.jobsLeft ?? 0)}.`).join(' '),
    next: 'See how far it is: muster workers',
  });
}
