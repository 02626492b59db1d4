import type { BeatCommand, ReplyOf } from '@muster/domain';
import type { AttemptId, Verdict, WorkerId } from '@muster/protocol';
import type { Connection } from '../../database/connection-pool.js';
import { BEATS_RENEW } from './renew.sql.js';

export type BeatReply = ReplyOf<BeatCommand>;

/** One for each worker, with its slots, and one for each attempt. */
type RenewedRow =
  | { worker_id: WorkerId; slots: number; attempt_id: null; lease_ms: null }
  | { worker_id: WorkerId; slots: null; attempt_id: AttemptId; lease_ms: number | null };

/** A beat that lists more is a transaction of its own: others would wait for it. */
const EXECUTIONS_MAX = 1_000;

/**
 * Whether a beat may be one that only renews; whether it is only its rows can say. One that lists something else than running
 * processes, or the same twice, never is.
 */
export function mayBePlain({ executions }: BeatCommand): boolean {
  if (executions.length > EXECUTIONS_MAX || executions.some(({ state }) => state !== 'running')) return false;
  return new Set(executions.map(({ attemptId }) => attemptId)).size === executions.length;
}

/**
 * Renews, by one statement, everything that those of these beats name which need nothing else, and answers each as the reducer
 * would. Undefined for the others, by which nothing was changed: they are for the reducer. Beats of one worker that come
 * together are all left to it, which takes them in their order.
 *
 * @param commands for each of which `mayBePlain` holds
 * @param workerTimeoutMs W, the first part of every lease
 */
export async function renewPlain(
  connection: Connection,
  commands: readonly BeatCommand[],
  workerTimeoutMs: number,
): Promise<(BeatReply | undefined)[]> {
  const counts = new Map<WorkerId, number>();
  for (const { workerId } of commands) counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
  const alone = commands.filter(({ workerId }) => counts.get(workerId) === 1);
  if (alone.length === 0) return commands.map(() => undefined);
  const renewed = byWorker(await connection.query<RenewedRow>(BEATS_RENEW, [...toLists(alone), workerTimeoutMs]));
  return commands.map((command) => toReply(command, renewed.get(command.workerId)));
}

function toLists(commands: readonly BeatCommand[]): unknown[] {
  const named = commands.flatMap(({ workerId, session, executions }) => executions.map((execution) => ({ workerId, session, ...execution })));
  return [
    commands.map(({ workerId }) => workerId),
    commands.map(({ session }) => session),
    commands.map(({ isPaused }) => isPaused),
    commands.map(({ slotsFree }) => slotsFree),
    commands.map(({ gpusHeld }) => `{${[...new Set(gpusHeld)].sort((left, right) => left - right).join(',')}}`),
    commands.map(({ executions }) => executions.length),
    named.map(({ workerId }) => workerId),
    named.map(({ attemptId }) => attemptId),
    named.map(({ epoch }) => epoch),
    named.map(({ session }) => session),
  ];
}

interface Renewed {
  slots: number;
  readonly leases: Map<AttemptId, number | null>;
}

function byWorker(rows: readonly RenewedRow[]): ReadonlyMap<WorkerId, Renewed> {
  const renewed = new Map<WorkerId, Renewed>();
  for (const row of rows) {
    const one = renewed.get(row.worker_id) ?? { slots: 0, leases: new Map<AttemptId, number | null>() };
    if (row.attempt_id === null) one.slots = row.slots;
    else one.leases.set(row.attempt_id, row.lease_ms);
    renewed.set(row.worker_id, one);
  }
  return renewed;
}

function toReply({ executions }: BeatCommand, renewed: Renewed | undefined): BeatReply | undefined {
  if (renewed === undefined) return undefined;
  const { slots, leases } = renewed;
  const verdicts = executions.map(
    ({ attemptId, epoch }): Verdict => ({ kind: 'keep', ref: { attemptId, epoch }, leaseMs: leases.get(attemptId) ?? null, command: null }),
  );
  return { kind: 'beat', slots, verdicts };
}
