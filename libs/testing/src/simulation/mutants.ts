/**
 * Spoiled versions of the decisions: each breaks one rule that looks dispensable in review. The simulator must notice every
 * one of them, or it proves nothing about the rules it does not notice.
 *
 * Known to change nothing, and kept as defence in depth: a sweep that trusts the list it was found on (a lease that is over
 * is never renewed, so looking again finds the same), renewing an expired lease whose row is locked (nobody else can have
 * it), and not burning the epoch on a loss that the agent itself reports (the attempt is ended, which is checked as well).
 */
import { applyDecision } from '@muster/domain';
import type { AgentState, Execution, ServerCommand, ServerContext, ServerDecision, Slice } from '@muster/domain';
import { PRODUCT } from './reducers.js';
import type { Reducers } from './reducers.js';
import type { Profile } from './settings.js';

export interface Mutant {
  readonly name: string;
  readonly profile: Profile;
  /** A little before the first seed that is known to find it: spares the rare ones a long search. */
  readonly firstSeed?: number;
  readonly reducers: Reducers;
}

type ServerStep = Reducers['serverStep'];
type AgentStep = Reducers['agentStep'];

/** A server that does something before it decides, or after. */
function server(spoil: (step: ServerStep) => (slice: Slice, command: ServerCommand, context: ServerContext) => ServerDecision): Reducers {
  return { ...PRODUCT, serverStep: spoil(PRODUCT.serverStep) as ServerStep };
}

function agent(spoil: (step: AgentStep) => AgentStep): Reducers {
  return { ...PRODUCT, agentStep: spoil(PRODUCT.agentStep) };
}

function shell(rules: Partial<Reducers['shell']>): Reducers {
  return { ...PRODUCT, shell: { ...PRODUCT.shell, ...rules } };
}

/** An end counts for whoever holds the job now. */
const noFencingOnEnd = server((step) => (slice, command, context) => {
  if (command.type !== 'end') return step(slice, command, context);
  const jobId = slice.attempts.get(command.attemptId)?.jobId;
  const current = [...slice.attempts.values()].find((one) => one.jobId === jobId && one.state !== 'ended' && one.state !== 'offered');
  const worker = current === undefined ? undefined : slice.workers.get(current.workerId);
  if (current === undefined || worker === undefined) return step(slice, command, context);
  return step(slice, { ...command, attemptId: current.id, epoch: current.epoch, workerId: worker.id, session: worker.session }, context);
});

/** A process that outlived its lease is taken on again whether or not its worker has a slot left. */
const reclaimWithoutRoom = server((step) => (slice, command, context) => {
  if (command.type !== 'beat' && command.type !== 'hello') return step(slice, command, context);
  const worker = slice.workers.get(command.workerId);
  if (worker === undefined) return step(slice, command, context);
  const roomy = { ...slice, workers: new Map(slice.workers).set(worker.id, { ...worker, slots: 99 }) };
  const decision = step(roomy, command.type === 'hello' ? { ...command, slots: 99 } : command, context);
  return { ...decision, workers: decision.workers.map((row) => ({ ...row, slots: worker.slots, slotsUsable: Math.min(row.slotsUsable, worker.slots) })) };
});

/** An agent that starts anew is believed to have lost everything. */
const requeueOnHello = server((step) => (slice, command, context) => {
  if (command.type !== 'hello') return step(slice, command, context);
  const lost = [...slice.attempts.values()].filter((one) => one.workerId === command.workerId && one.leaseUntilMs !== null && one.state !== 'ended');
  let now = slice;
  const rows: ServerDecision[] = [];
  for (const attempt of lost) {
    const isOver = { ...now, attempts: new Map(now.attempts).set(attempt.id, { ...attempt, leaseUntilMs: 0 }) };
    const decision = step(isOver, { type: 'sweepAttempt', attemptId: attempt.id }, context);
    now = applyDecision(now, decision);
    rows.push(decision);
  }
  const hello = step(now, command, context);
  const after = applyDecision(now, hello);
  const changed = [...rows, hello];
  return {
    ...hello,
    jobs: [...new Set(changed.flatMap((one) => one.jobs.map((row) => row.id)))].flatMap((id) => after.jobs.get(id) ?? []),
    attempts: [...new Set(changed.flatMap((one) => one.attempts.map((row) => row.id)))].flatMap((id) => after.attempts.get(id) ?? []),
  };
});

/** A start is granted to whoever asks, whatever became of the offer. */
const startWithoutCheck = server((step) => (slice, command, context) => {
  const decision = step(slice, command, context);
  const isNo = command.type === 'start' && 'kind' in decision.reply && decision.reply.kind === 'no';
  return isNo ? { ...decision, reply: { kind: 'go', leaseMs: 16_000 } } : decision;
});

/** Any first hello is a newer agent, however late it comes. */
const noOrderOfStarts = server((step) => (slice, command, context) => {
  if (command.type !== 'hello') return step(slice, command, context);
  return step(slice, { ...command, instanceId: command.instanceId.replace('-', '.') }, context);
});

const noCapacityCheck: Reducers = {
  ...PRODUCT,
  decideClaim: (slice, input, context) => {
    const workers = new Map([...slice.workers].map(([id, worker]) => [id, { ...worker, slots: 99, slotsUsable: 99 }]));
    return PRODUCT.decideClaim({ ...slice, workers }, input, context);
  },
};

const noEpochRaise: Reducers = {
  ...PRODUCT,
  decideClaim: (slice, input, context) => {
    const decision = PRODUCT.decideClaim(slice, input, context);
    const lower = <Row extends { readonly epoch: number; readonly attemptCount?: number }>(row: Row): Row => ({ ...row, epoch: Math.max(1, row.epoch - 1) });
    return { ...decision, jobs: decision.jobs.map(lower), attempts: decision.attempts.map(lower) };
  },
};

function rephase(state: AgentState, isWanted: (one: Execution) => boolean, phase: Execution['phase']): AgentState {
  return { ...state, executions: new Map([...state.executions].map(([id, one]) => [id, isWanted(one) ? { ...one, phase } : one])) };
}

/** Any `go` starts the process, whatever has become of the attempt here, and however late it is. */
const actOnLateGo = agent((step) => (state, event) => {
  if (event.type !== 'startAnswered') return step(state, event);
  const isMeant = (one: Execution): boolean => one.ref.attemptId === event.ref.attemptId && one.phase !== 'draining';
  return step(rephase(state, isMeant, 'asking'), { ...event, sentMs: event.nowMs });
});

/** The right to run counts from the answer's arrival. */
const deadlineFromReceipt = agent((step) => (state, event) => ('sentMs' in event ? step(state, { ...event, sentMs: event.nowMs }) : step(state, event)));

/** The process is started when the offer is accepted; `start` only tells. */
const onePhaseStart = agent((step) => (state, event) => {
  const result = step(state, event);
  if (event.type !== 'intentWritten') return result;
  const next = rephase(result.state, (one) => one.executionId === event.executionId && one.phase === 'asking', 'starting');
  const { executionId } = event;
  return { state: next, effects: [...result.effects, { type: 'spawn', executionId, notAfterMs: Infinity, deadlineMs: event.nowMs + 10_000 }] };
});

/** An end is settled once it was sent. */
const forgetAfterSend = agent((step) => (state, event) => {
  const result = step(state, event);
  const sent = result.effects.flatMap((effect) => (effect.type === 'sendEnd' ? [effect.end.attemptId] : []));
  return { ...result, state: rephase(result.state, (one) => sent.includes(one.ref.attemptId), 'draining') };
});

export const MUTANTS: readonly Mutant[] = [
  { name: 'an end is accepted without fencing', profile: 'reclaim', reducers: noFencingOnEnd },
  { name: 'a process is taken on again without a free slot', profile: 'reclaim', firstSeed: 540, reducers: reclaimWithoutRoom },
  { name: 'a hello gives back everything its worker held', profile: 'exclusive', reducers: requeueOnHello },
  { name: 'a start is granted without a check', profile: 'exclusive', reducers: startWithoutCheck },
  { name: 'a late hello takes the worker over', profile: 'reclaim', reducers: noOrderOfStarts },
  { name: 'a claim ignores capacity', profile: 'reclaim', reducers: noCapacityCheck },
  { name: 'a claim does not raise the epoch', profile: 'reclaim', reducers: noEpochRaise },
  { name: 'a late go is acted upon', profile: 'exclusive', reducers: actOnLateGo },
  { name: 'a deadline counts from the receipt of the answer', profile: 'exclusive', firstSeed: 1_130, reducers: deadlineFromReceipt },
  { name: 'a process starts with the offer', profile: 'exclusive', reducers: onePhaseStart },
  { name: 'an end is forgotten once sent', profile: 'reclaim', reducers: forgetAfterSend },
  { name: 'a directory is removed before its log is stored', profile: 'reclaim', reducers: shell({ keepsUntilDone: false }) },
  { name: 'an end is acknowledged before the commit', profile: 'reclaim', reducers: shell({ acknowledgesAfterCommit: false }) },
  { name: 'no timer outside the agent ends exclusive processes', profile: 'exclusive', firstSeed: 870, reducers: shell({ hasWarden: false }) },
  {
    name: 'log bytes are stored wherever they begin',
    profile: 'reclaim',
    reducers: { ...PRODUCT, onLogChunk: (stored, chunk) => ({ store: true, storedLength: stored + chunk.rawLength }) },
  },
];
