import { address, ConfigError, duration, formatDuration, integer, loadConfig, oneOf, text, type ConfigOf, type Environment } from '@muster/runtime';
import { DEFAULT_PORT, TIMES } from '@muster/protocol';

const SECOND_MS = 1_000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;
/** Ten years: beyond it nobody means a time, but never. */
const KEPT_MS_MAX = 3_650 * DAY_MS;

/** Every setting of the control plane. `.env.example` and the documents are made from it. */
export const CONTROL_PLANE_SCHEMA = {
  port: integer('MUSTER_PORT', { about: 'Port of REST and sockets; 0 takes a free one.', default: DEFAULT_PORT, min: 0, max: 65_535 }),
  // Loopback unless told: nothing is reachable from the network by accident.
  host: text('MUSTER_HOST', { about: 'Address the control plane listens on.', default: '127.0.0.1' }),
  databaseUrl: address('DATABASE_URL', { about: 'PostgreSQL to use.', schemes: ['postgres:', 'postgresql:'] }),
  workerTimeoutMs: duration('MUSTER_WORKER_TIMEOUT', {
    about: 'No beat for this long makes a worker offline (W).',
    default: TIMES.workerTimeoutMs,
    minMs: TIMES.workerTimeoutMsMin,
  }),
  offerTtlMs: duration('MUSTER_OFFER_TTL', {
    about: 'An offer unanswered for this long goes back to the queue.',
    default: TIMES.offerTtlMs,
    minMs: SECOND_MS,
  }),
  logRetentionMs: duration('MUSTER_LOG_RETENTION', {
    about: 'Log bytes are accepted this long after an attempt ended, and kept at least this long after its job finished.',
    default: 30 * DAY_MS,
    minMs: 60 * SECOND_MS,
    maxMs: KEPT_MS_MAX,
  }),
  // A day at least: as long as an Idempotency-Key stands for the jobs it made.
  jobRetentionMs: duration('MUSTER_JOB_RETENTION', {
    about: 'Finished jobs are kept this long, with their attempts, events and metrics; not shorter than their logs.',
    default: 90 * DAY_MS,
    minMs: DAY_MS,
    maxMs: KEPT_MS_MAX,
  }),
  sampleRetentionMs: duration('MUSTER_SAMPLE_RETENTION', {
    about: 'Samples of workers are kept this long by the hour, up to a week of it by the minute, and the last day as they came.',
    default: 90 * DAY_MS,
    minMs: DAY_MS,
    maxMs: KEPT_MS_MAX,
  }),
  logLevel: oneOf('MUSTER_LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    about: 'How much the control plane says.',
    default: 'info',
  }),
  bootstrapAdminKeyFile: text('MUSTER_BOOTSTRAP_ADMIN_KEY_FILE', {
    about: 'When no admin key exists, one is made and written here.',
    optional: true,
  }),
  bootstrapWorkerKeyFile: text('MUSTER_BOOTSTRAP_WORKER_KEY_FILE', {
    about: 'When no worker key exists, one is made and written here.',
    optional: true,
  }),
};

export type ControlPlaneConfig = ConfigOf<typeof CONTROL_PLANE_SCHEMA>;

/** @throws ConfigError with every complaint at once */
export function readConfig(warn: (message: string) => void, env: Environment = process.env): ControlPlaneConfig {
  const config = loadConfig(CONTROL_PLANE_SCHEMA, { warn, env });
  refuseLogsWithoutJobs(config);
  return config;
}

/** A log is found through its job. */
function refuseLogsWithoutJobs({ jobRetentionMs, logRetentionMs }: ControlPlaneConfig): void {
  if (jobRetentionMs >= logRetentionMs) return;
  const expected = `a duration not shorter than MUSTER_LOG_RETENTION (${formatDuration(logRetentionMs)})`;
  throw new ConfigError([{ name: 'MUSTER_JOB_RETENTION', expected, found: formatDuration(jobRetentionMs) }]);
}

/** The settings of `given`, and every default for the rest; what tests start a control plane with. */
export function configWith(given: Partial<ControlPlaneConfig> & Pick<ControlPlaneConfig, 'databaseUrl'>): ControlPlaneConfig {
  const defaults = loadConfig(CONTROL_PLANE_SCHEMA, { env: { DATABASE_URL: given.databaseUrl }, cwd: '/nonexistent' });
  return { ...defaults, ...given };
}
