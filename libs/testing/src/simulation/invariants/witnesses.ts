/**
 * Who may say of an exclusive process that there is none: the start of the agent that was granted it, or has shown it since. Any
 * other may have read a copy of the disk. Known here from the messages alone, not from what the rows say.
 */
import { isStarted } from '@muster/domain';
import type { ServerCommand, ServerDecision, Slice } from '@muster/domain';
import type { AttemptEnd, AttemptId, ExecutionReport, Verdict } from '@muster/protocol';
import { Violation } from './violation.js';

type Told = Extract<ServerCommand, { type: 'hello' | 'beat' }>;

export class Witnesses {
  private readonly sessions = new Map<AttemptId, number>();

  /** Whether this end, of an exclusive attempt, counts by who says it. */
  mayEnd(end: AttemptEnd, attemptId: AttemptId, session: number): boolean {
    const saysNothing = end.outcome === 'refused' || end.outcome === 'lost' || (end.outcome === 'cancelled' && end.ranMs === null);
    return !saysNothing || this.sessions.get(attemptId) === session;
  }

  answered(command: ServerCommand, slice: Slice, decision: ServerDecision): void {
    const { reply } = decision;
    if (command.type === 'start' && reply.kind === 'go') this.sessions.set(command.attemptId, command.session);
    if ((command.type !== 'hello' && command.type !== 'beat') || !('verdicts' in reply)) return;
    const session = reply.kind === 'synced' ? reply.session : command.session;
    this.listed(command, reply.verdicts, session, slice, decision);
  }

  private listed({ executions }: Told, verdicts: readonly Verdict[], session: number, slice: Slice, { attempts }: ServerDecision): void {
    for (const [index, report] of executions.entries()) {
      const isAlive = report.state === 'running' || report.state === 'paused';
      if (isAlive && verdicts[index]?.kind === 'keep') this.sessions.set(report.attemptId, session);
      if (!isAlive && this.sessions.get(report.attemptId) !== session) checkNotRenewed(report, slice, attempts);
    }
  }
}

/** It would keep the job from ever being given to somebody who runs it. */
function checkNotRenewed({ attemptId, epoch }: ExecutionReport, slice: Slice, after: ServerDecision['attempts']): void {
  const before = slice.attempts.get(attemptId);
  const attempt = after.find(({ id }) => id === attemptId);
  if (before === undefined || attempt === undefined || before.epoch !== epoch || !isStarted(before) || !isStarted(attempt)) return;
  if (slice.jobs.get(before.jobId)?.spec.disconnect.exclusive !== true) return;
  if (attempt.leaseUntilMs !== before.leaseUntilMs) throw new Violation('I16 no lease without a process', `${attemptId} was renewed for an agent that has no process`);
}
