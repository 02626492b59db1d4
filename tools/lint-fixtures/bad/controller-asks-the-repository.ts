import type { JobsRepository } from './jobs.repository.js';

export const list = (jobs: JobsRepository): JobsRepository => jobs;
