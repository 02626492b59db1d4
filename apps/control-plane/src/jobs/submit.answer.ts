import type { JobView } from '@muster/protocol';
import type { Response } from 'express';
import type { Submitted } from './job-submission.js';

/** Answered as it was asked: one job for one, `data` for a list. */
export function sendSubmitted(response: Response, submitted: Submitted): JobView | { data: readonly JobView[] } | undefined {
  if (submitted.isReplayed) response.setHeader('Idempotency-Replayed', 'true');
  if (submitted.isBatch) return { data: submitted.jobs };
  const [job] = submitted.jobs;
  if (job !== undefined) response.setHeader('Location', `/api/v1/jobs/${job.id}`);
  return job;
}

/** For the OpenAPI document. */
export const SUBMIT_EXAMPLES = {
  command: { summary: 'A program', value: { name: 'train-iris', run: { command: ['node', 'train.mjs', '--seed', '7'] }, env: { LR: '0.1' }, labels: { exp: '7' } } },
  shell: { summary: 'A script', value: { run: { shell: 'for i in 1 2 3; do echo "$i"; sleep 1; done' }, limits: { runSeconds: 60 } } },
  gpu: { summary: 'With needs and retries', value: { run: { command: ['python3', 'train.py'] }, needs: { gpus: 1, memoryMb: 8000 }, retry: { onFailure: 2 } } },
  batch: { summary: 'Several at once', value: { jobs: [{ run: { command: ['echo', 'one'] } }, { run: { command: ['echo', 'two'] } }] } },
};
