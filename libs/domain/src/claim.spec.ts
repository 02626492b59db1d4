import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import { NOW_MS, WORKER, aContext, aJob, aProfile, aSlice, aSpec, aWorker, anAttempt } from '../test/factories.js';
import { decideClaim } from './claim.js';
import type { JobFacts, WorkerFacts } from './facts.js';
import type { WorkerProfile } from './matching.js';

const jobId = (n: number) => `job_${n}` as JobId;
const workerId = (n: number) => `wkr_${n}` as WorkerId;
const ids = Array.from({ length: 20 }, (_, n) => `att_new${n}` as AttemptId);

function claim(facts: {
  jobs: JobFacts[];
  workers?: WorkerFacts[];
  attempts?: ReturnType<typeof anAttempt>[];
  profiles?: Partial<WorkerProfile>[];
  active?: Record<string, number>;
}) {
  const workers = facts.workers ?? [aWorker({ slots: 10, slotsUsable: 10 })];
  const profiles = new Map(workers.map((worker, i) => [worker.id, aProfile({ name: worker.name, ...facts.profiles?.[i] })]));
  const slice = aSlice({ jobs: facts.jobs, workers, attempts: facts.attempts ?? [] });
  const candidates = facts.jobs.map((job) => job.id);
  const decision = decideClaim(slice, { candidates, profiles, activeByOwner: new Map(Object.entries(facts.active ?? {})) }, aContext({ newAttemptIds: ids }));
  return { decision, taken: decision.attempts.map((attempt) => attempt.jobId), placed: decision.attempts.map((attempt) => attempt.workerId) };
}

describe('claim', () => {
  test('makes an offer with the next epoch and number, and a term', () => {
    const { decision } = claim({ jobs: [aJob({ epoch: 4, attemptCount: 2 })] });
    expect(decision.attempts).toEqual([
      expect.objectContaining({ id: 'att_new0', state: 'offered', epoch: 5, number: 3, workerId: WORKER, leaseUntilMs: NOW_MS + 15_000, logId: 'att_new0' }),
    ]);
    expect(decision.jobs[0]).toMatchObject({ status: 'assigned', reason: 'offered', epoch: 5, attemptCount: 3, currentAttemptId: 'att_new0' });
    expect(decision.notices).toContainEqual({ kind: 'offer', workerId: WORKER, session: 1, attemptId: 'att_new0' });
  });

  test('leaves a training job with whoever claimed it for as long as a started one may be silent', () => {
    const training = { external: { kind: 'finetunelab', payload: {} } } as const;
    const { decision } = claim({ jobs: [aJob({ spec: aSpec({ run: training }) })], profiles: [{ runKinds: ['external:finetunelab'] }] });
    expect(decision.attempts).toEqual([expect.objectContaining({ state: 'offered', leaseUntilMs: NOW_MS + 360_000 })]);
  });

  test('takes priority first, then the owner with the fewest active, then the oldest', () => {
    const jobs = [
      aJob({ id: jobId(1), owner: 'ada' }), aJob({ id: jobId(2), owner: 'ada' }), aJob({ id: jobId(3), owner: 'bob' }),
      aJob({ id: jobId(4), owner: 'ada', priority: 5 }),
    ];
    expect(claim({ jobs, active: { bob: 1 } }).taken).toEqual([jobId(4), jobId(1), jobId(3), jobId(2)]);
  });

  test('fills no more slots than are free, counting what is live and what the agent holds back', () => {
    const jobs = [1, 2, 3, 4, 5].map((n) => aJob({ id: jobId(n) }));
    const live = anAttempt({ id: 'att_live' as AttemptId, jobId: jobId(99) });
    expect(claim({ jobs, workers: [aWorker({ slots: 4, slotsUsable: 4 })], attempts: [live] }).taken).toHaveLength(3);
    expect(claim({ jobs, workers: [aWorker({ slots: 4, slotsUsable: 2 })], attempts: [live] }).taken).toHaveLength(1);
    expect(claim({ jobs, workers: [aWorker({ slots: 0, slotsUsable: 0 })] }).taken).toHaveLength(0);
  });

  test('gives away no GPU that the agent says is held, and takes another', () => {
    const profiles = [{ gpus: [{ index: 0, model: 'H100' }, { index: 1, model: 'H100' }] }];
    const workers = [aWorker({ gpusHeld: [0] })];
    const jobs = [aJob({ spec: aSpec({ needs: { gpus: 1 } }) })];
    expect(claim({ jobs, workers, profiles }).decision.attempts).toEqual([expect.objectContaining({ gpus: [1] })]);
    expect(claim({ jobs: [aJob({ spec: aSpec({ needs: { gpus: 2 } }) })], workers, profiles }).taken).toEqual([]);
  });

  test('prefers the least loaded worker, by share of its slots', () => {
    const workers = [aWorker({ id: workerId(1), slots: 2, slotsUsable: 2 }), aWorker({ id: workerId(2), slots: 8, slotsUsable: 8 })];
    const attempts = [anAttempt({ id: 'a' as AttemptId, jobId: jobId(90), workerId: workerId(1) }), anAttempt({ id: 'b' as AttemptId, jobId: jobId(91), workerId: workerId(2) })];
    expect(claim({ jobs: [aJob()], workers, attempts }).placed).toEqual([workerId(2)]);
  });

  test.each([{ isPaused: true }, { link: 'suspect' }, { link: 'unreachable' }, { isFenced: true }, { isRemoved: true }] as const)('offers nothing to a worker that is %j', (facts) => {
    expect(claim({ jobs: [aJob()], workers: [aWorker(facts)] }).taken).toEqual([]);
  });

  test.each([{ status: 'running' }, { desired: 'cancel' }, { notBeforeMs: NOW_MS + 1 }, { status: 'cancelled' }] as const)('leaves a candidate alone that is %j by now', (facts) => {
    expect(claim({ jobs: [aJob(facts)] }).taken).toEqual([]);
  });

  test('a job that fits nobody does not hold up those behind it', () => {
    const jobs = [aJob({ id: jobId(1), priority: 9, spec: aSpec({ needs: { gpus: 1 } }) }), aJob({ id: jobId(2) })];
    expect(claim({ jobs }).taken).toEqual([jobId(2)]);
  });

  test('assigns each GPU once, of the model asked for', () => {
    const spec = aSpec({ needs: { gpus: 1, gpuModel: 'h100' } });
    const gpus = [{ index: 0, model: 'A10' }, { index: 1, model: 'NVIDIA H100' }, { index: 2, model: 'NVIDIA H100' }];
    const live = anAttempt({ id: 'att_live' as AttemptId, jobId: jobId(99), gpus: [1] });
    const { decision } = claim({ jobs: [aJob({ id: jobId(1), spec }), aJob({ id: jobId(2), spec })], profiles: [{ gpus }], attempts: [live] });
    expect(decision.attempts.map((attempt) => attempt.gpus)).toEqual([[2]]);
  });

  test('does not promise more cores and memory than the machine has', () => {
    const spec = aSpec({ needs: { cpus: 3, memoryMb: 8_000 } });
    expect(claim({ jobs: [1, 2, 3].map((n) => aJob({ id: jobId(n), spec })) }).taken).toHaveLength(2);
  });

  test('takes nothing when it has no more ids to give', () => {
    const slice = aSlice({ jobs: [aJob()], workers: [aWorker()] });
    const input = { candidates: [aJob().id], profiles: new Map([[WORKER, aProfile()]]), activeByOwner: new Map<string, number>() };
    expect(decideClaim(slice, input, aContext({ newAttemptIds: [] })).attempts).toEqual([]);
  });
});
