import { applyDecision, serverStep } from '@muster/domain';
import { recordSchedule } from './recording.js';

describe('a recorded schedule', () => {
  const recording = recordSchedule(1, 'reclaim');

  test('holds at least fifty commands, each with the rows it saw', () => {
    const commands = recording.steps.filter((step) => step.kind === 'command');
    expect(commands.length).toBeGreaterThanOrEqual(50);
  });

  test('can be decided again from what it holds', () => {
    for (const step of recording.steps) {
      if (step.kind === 'command') expect(serverStep(step.slice, step.command, step.context)).toEqual(step.decision);
    }
  });

  test('shows each command the rows that the steps before it left behind', () => {
    let rows = { jobs: new Map(), attempts: new Map(), workers: new Map(recording.workers.map((row) => [row.id, row])) };
    for (const step of recording.steps) {
      if (step.kind === 'insertJob') rows.jobs.set(step.job.id, step.job);
      if (step.kind !== 'command' && step.kind !== 'claim') continue;
      for (const [id, job] of step.slice.jobs) expect(job).toEqual(rows.jobs.get(id));
      for (const [id, attempt] of step.slice.attempts) expect(attempt).toEqual(rows.attempts.get(id));
      const next = applyDecision(rows, step.decision);
      rows = { jobs: new Map(next.jobs), attempts: new Map(next.attempts), workers: new Map(next.workers) };
    }
  });
});
