export type { AttemptFacts, JobFacts, WorkerFacts } from './facts.js';
