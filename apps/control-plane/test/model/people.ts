/** What people do, by REST. */
import fc from 'fast-check';
import type { JobId, JobView } from '@muster/protocol';
import { pick, type Deed } from './command.js';
import type { Model, Ordered } from './model.js';
import { POLICIES, POLICY_NAMES, SECONDS, type Job, type PolicyName } from './state.js';
import type { World } from './world.js';

export interface Wish {
  readonly policy: PolicyName;
  readonly priority: number;
}

const wish = fc.record({ policy: fc.constantFrom('plain', 'plain', 'tries', ...POLICY_NAMES), priority: fc.constantFrom(0, 0, 0, 5) });
const one = fc.record({ job: fc.nat(9) });

function bodyOf({ policy, priority }: Wish): object {
  const { retry = {}, disconnect = {}, ...rest } = POLICIES[policy] as { retry?: object; disconnect?: object };
  return {
    run: { command: ['/bin/true'] }, priority, ...rest,
    retry: { backoffSeconds: SECONDS.backoff, ...retry },
    disconnect: { lostAfterSeconds: SECONDS.lostAfter, ...disconnect },
  };
}

function remember(model: Model, views: readonly { readonly id: JobId }[], wishes: readonly Wish[]): Job[] {
  const jobs = views.map(({ id }, index): Job => {
    const { policy, priority } = wishes[index] as Wish;
    return {
      id, policy, priority, inLineSince: model.now, status: 'queued', desired: 'run', isForced: false, reason: null, epoch: 0, attempts: [],
      current: null, hasStarted: false, failures: 0, losses: 0, lossesWhileRunning: 0, refusals: 0, backoffUntil: null, exitCode: null,
    };
  });
  model.jobs.push(...jobs);
  return jobs;
}

/** As an order to a job is answered: with the job, or that its state does not allow it. */
async function order(model: Model, world: World, job: Job, path: string, expected: Ordered, body?: object): Promise<void> {
  const answer = await world.rest.post<{ code?: string; currentState?: string; allowedActions?: string[] }>(`/jobs/${job.id}/${path}`, body);
  if (expected === 'done') return expect({ path, status: answer.status }).toEqual({ path, status: path === 'cancel' ? 202 : 200 });
  const { code, currentState, allowedActions = [] } = answer.body;
  expect({ path, code, currentState, allowedActions: [...allowedActions].sort() }).toEqual({
    path, code: 'illegalTransition', currentState: job.status, allowedActions: model.allowedActions(job),
  });
}

const submit: Deed<Wish> = {
  args: wish,
  weight: 6,
  can: (model) => model.jobs.length < 12,
  perform: async (model, world, args) => {
    const { status, body } = await world.rest.post<JobView>('/jobs', bodyOf(args));
    expect(status).toBe(201);
    remember(model, [body], [args]);
  },
};

const submitBatch: Deed<{ readonly wishes: readonly Wish[] }> = {
  args: fc.record({ wishes: fc.array(wish, { minLength: 1, maxLength: 3 }) }),
  weight: 2,
  can: (model) => model.jobs.length < 12,
  perform: async (model, world, { wishes }) => {
    const { status, body } = await world.rest.post<{ data: JobView[] }>('/jobs', { jobs: wishes.map(bodyOf) });
    expect(status).toBe(201);
    expect(body.data).toHaveLength(wishes.length);
    remember(model, body.data, wishes);
  },
};

/** With an Idempotency-Key of its own. */
const submitOnce: Deed<Wish> = {
  args: wish,
  weight: 2,
  can: (model) => model.jobs.length < 12,
  perform: async (model, world, args) => {
    const body = bodyOf(args);
    const answer = await world.rest.post<JobView>('/jobs', body, { 'idempotency-key': `key-${model.submissions.length}` });
    expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([201, null]);
    model.submissions.push({ body, jobs: remember(model, [answer.body], [args]) });
  },
};

/** The same Idempotency-Key once more, with the same body or another. */
const submitAgain: Deed<{ readonly which: number; readonly isSame: boolean }> = {
  args: fc.record({ which: fc.nat(3), isSame: fc.boolean() }),
  weight: 2,
  can: (model) => model.submissions.length > 0,
  perform: async (model, world, { which, isSame }) => {
    const index = which % model.submissions.length;
    const submission = model.submissions[index];
    const body = isSame ? submission?.body : { run: { command: ['/bin/false'] } };
    const answer = await world.rest.post<JobView & { code?: string }>('/jobs', body, { 'idempotency-key': `key-${index}` });
    if (!isSame) return expect(answer.body.code).toBe('idempotencyConflict');
    expect([answer.status, answer.headers.get('idempotency-replayed'), answer.body.id]).toEqual([201, 'true', submission?.jobs[0]?.id]);
  },
};

function cancelling(isForced: boolean): Deed<{ readonly job: number }> {
  return {
    args: one,
    weight: 2,
    can: (model) => model.jobs.length > 0,
    perform: async (model, world, args) => {
      const job = pick(model.jobs, args.job) as Job;
      await order(model, world, job, 'cancel', model.cancel(job, isForced), isForced ? { force: true } : undefined);
    },
  };
}

function givingUp(action: 'requeue' | 'abandon'): Deed<{ readonly job: number }> {
  return {
    args: one,
    weight: 2,
    can: (model) => model.jobs.length > 0,
    perform: async (model, world, args) => {
      // Somebody who acts at all acts where it matters, if there is such a place.
      const fitting = model.jobs.filter((job) => model.allowedActions(job).includes(action));
      const job = pick(fitting.length > 0 ? fitting : model.jobs, args.job) as Job;
      await order(model, world, job, action, model.giveUp(job, action));
    },
  };
}

function pausing(action: 'pause' | 'resume'): Deed<{ readonly job: number }> {
  return {
    args: one,
    weight: 5,
    can: (model) => model.jobs.length > 0,
    perform: async (model, world, args) => {
      const job = pick(model.jobs, args.job) as Job;
      await order(model, world, job, action, action === 'pause' ? model.pause(job) : model.resume(job));
    },
  };
}

export const PEOPLE = {
  submit, submitBatch, submitOnce, submitAgain,
  cancel: cancelling(false), forceCancel: cancelling(true), requeue: givingUp('requeue'), abandon: givingUp('abandon'),
  pause: pausing('pause'), resume: pausing('resume'),
};
