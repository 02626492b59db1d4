/**
 * Every `MUSTER_` variable that any part of Muster reads or gives to its children. Each program declares only its own
 * fields; this list keeps one part from calling another part's variable a mistake. Secrets stand here with `_FILE` too.
 */
export const KNOWN_NAMES: readonly string[] = [
  // People and clients.
  'MUSTER_URL',
  'MUSTER_KEY',
  'MUSTER_KEY_FILE',
  'MUSTER_DATA_DIR',
  'MUSTER_CONFIG_DIR',
  // Control plane.
  'MUSTER_HOST',
  'MUSTER_PORT',
  'MUSTER_LOG_LEVEL',
  'MUSTER_LOG_RETENTION',
  'MUSTER_JOB_RETENTION',
  'MUSTER_WORKER_TIMEOUT',
  'MUSTER_OFFER_TTL',
  'MUSTER_BOOTSTRAP_ADMIN_KEY_FILE',
  'MUSTER_BOOTSTRAP_WORKER_KEY_FILE',
  'MUSTER_POSTGRES_PORT',
  // Agent.
  'MUSTER_AGENT_KEY',
  'MUSTER_AGENT_KEY_FILE',
  'MUSTER_AGENT_NAME',
  'MUSTER_AGENT_SLOTS',
  'MUSTER_AGENT_LABELS',
  'MUSTER_AGENT_CAPABILITY',
  'MUSTER_AGENT_CONTENT_TYPES',
  'MUSTER_AGENT_STATE_DIR',
  'MUSTER_AGENT_CONNECT_TIMEOUT',
  'MUSTER_AGENT_RETRY_INTERVAL',
  'MUSTER_AGENT_RETRY_MAX',
  'MUSTER_AGENT_MONITOR_PORT',
  'MUSTER_AGENT_ON_TERM',
  // Given to jobs by the agent; present when a job starts the CLI.
  'MUSTER_JOB_ID',
  'MUSTER_ATTEMPT',
  'MUSTER_EPOCH',
  'MUSTER_ARRAY_INDEX',
  'MUSTER_ARRAY_COUNT',
  'MUSTER_ITEM',
  'MUSTER_WORKSPACE',
  'MUSTER_OUTPUT_DIR',
  'MUSTER_CHECKPOINT_DIR',
  'MUSTER_RESUME_FROM',
  'MUSTER_JOB_TOKEN',
  'MUSTER_METRICS',
  'MUSTER_PROGRESS',
  'MUSTER_RESULT',
  // Development.
  'MUSTER_CRASH_AT',
  'MUSTER_TEST_REQUIRE',
  'MUSTER_TEST_LONG',
];
