/** Whether people are told what is known, when an agent has read its disk anew and does not find what it was given. */
import { isLive, isStarted } from '@muster/domain';
import type { ServerCommand, ServerDecision, Slice } from '@muster/domain';
import type { JobReason } from '@muster/protocol';
import { Violation } from './violation.js';

const CERTAIN: readonly JobReason[] = ['starting', 'running', 'pausing', 'frozen', 'resuming'];

/** Nothing is said to run for certain that the newest start of an agent does not name. */
export function checkDoubt(command: Extract<ServerCommand, { type: 'hello' }>, slice: Slice, decision: ServerDecision): void {
  const { workerId, executions } = command;
  const session = decision.workers.find(({ id }) => id === workerId)?.session;
  if (session === undefined || session === slice.workers.get(workerId)?.session) return;
  const logs = new Set(executions.map(({ attemptId }) => slice.attempts.get(attemptId)?.logId));
  const attempts = new Map([...slice.attempts.values(), ...decision.attempts].map((attempt) => [attempt.id, attempt]));
  const jobs = new Map([...slice.jobs.values(), ...decision.jobs].map((job) => [job.id, job]));
  for (const attempt of attempts.values()) {
    if (attempt.workerId !== workerId || !isLive(attempt) || !isStarted(attempt) || logs.has(attempt.logId)) continue;
    const job = jobs.get(attempt.jobId);
    if (job !== undefined && CERTAIN.includes(job.reason)) throw new Violation('I13 no more is said than is known', `${job.id} is ${job.reason}, and its agent does not know it`);
  }
}
