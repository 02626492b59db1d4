/** People who change their minds about jobs at any moment, and who decide in the end about what waits for them. */
import type { ServerCommand } from '@muster/domain';
import { NO_FAULTS } from '../settings/faults.js';
import { ENDLESS_MS } from '../world/process.js';
import { Random } from '../world/random.js';
import type { World } from '../world/world.js';
import { jobIdOf, submit } from './jobs.js';
import { order } from './order.js';
import { takeOrdersBack } from './orders.js';

/** Submits all jobs over a while, and lets people meddle until the world heals. */
export function planPeople(world: World): void {
  const { settings, faults } = world;
  const random = new Random(settings.seed ^ 0x1b873593);
  for (let index = 0; index < settings.jobCount; index++) {
    const own = new Random(settings.seed * 31 + index);
    world.after(own.between(0, settings.submitMs), () => submit(world, own, index));
  }
  const { peopleEveryMs } = faults;
  if (peopleEveryMs === null) return;
  const meddle = (): void => {
    world.after(random.between(0.1, 1.9) * peopleEveryMs, () => {
      if (world.faults === NO_FAULTS) return;
      order(world, random, wishOf(random, settings.jobCount));
      meddle();
    });
  };
  meddle();
}

/** After healing: what stands still goes on, and who does not answer is given up. */
export function planDecisions(world: World): void {
  const random = new Random(world.settings.seed ^ 0x6a09e667);
  const decide = (): void => {
    for (const machine of world.machines) machine.startAgent();
    takeOrdersBack(world, random);
    const { jobs, attempts, workers } = world.database.tables;
    for (const job of jobs.values()) {
      if (job.finishedMs !== null) continue;
      const attempt = job.currentAttemptId === null ? undefined : attempts.get(job.currentAttemptId);
      const link = attempt === undefined ? undefined : workers.get(attempt.workerId)?.link;
      if (link === 'unreachable') order(world, random, { type: 'abandon', jobId: job.id, actor: 'bob' });
      const isEndless = world.planOf(job.id).runMs === ENDLESS_MS;
      if (isEndless && job.desired !== 'cancel') order(world, random, { type: 'cancel', jobId: job.id, force: false, actor: 'bob' });
      else if (job.desired === 'pause') order(world, random, { type: 'resume', jobId: job.id, actor: 'bob' });
    }
    world.after(30_000, decide);
  };
  world.after(15_000, decide);
}

function wishOf(random: Random, jobCount: number): ServerCommand {
  const jobId = jobIdOf(random.whole(0, jobCount - 1));
  const actor = random.pick(['ada', 'bob']);
  const kind = random.next();
  if (kind < 0.15) return { type: 'cancel', jobId, force: random.chance(0.3), actor };
  if (kind < 0.5) return { type: 'pause', jobId, actor };
  if (kind < 0.8) return { type: 'resume', jobId, actor };
  return { type: random.pick(['requeue', 'abandon']), jobId, actor };
}
