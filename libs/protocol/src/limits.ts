/** Limits of the wire and of stored things; sizes in bytes, times in milliseconds. A refusal names the one it hit. */
export const LIMITS = {
  restBodyBytesMax: 256 * 1024,
  jobSubmitBytesMax: 1024 * 1024,
  jobsPerSubmitMax: 100,
  socketMessageBytesMax: 1024 * 1024,
  liveMessageBytesMax: 16 * 1024,
  resultSocketBytesMax: 64 * 1024,
  resultHttpBytesMax: 1024 * 1024,
  jsonDepthMax: 16,
  jsonKeysMax: 2_000,
  priorityMin: -100,
  priorityMax: 100,
  /** Raw bytes in one log chunk, before compression. */
  logChunkBytesMax: 256 * 1024,
  /** The same where the control plane does not say how many it takes. */
  logChunkBytesDefault: 64 * 1024,
  /** Chunks of one attempt that may be on their way at once. */
  logChunksInFlightMax: 16,
  logBytesDefault: 256 * 1024 * 1024,
  /** One argument or one `NAME=value` may be this long (the kernel's MAX_ARG_STRLEN). */
  argumentBytesMax: 128 * 1024 - 1,
  /** All arguments and variables together (below the kernel's ARG_MAX of 2 MiB, and below the submit limit). */
  commandLineBytesMax: 900 * 1024,
  /** `run.external.payload` as JSON. */
  externalPayloadBytesMax: 512 * 1024,
  envEntriesMax: 512,
  labelsMax: 64,
  labelBytesMax: 256,
  /** Of one worker. */
  contentTypesMax: 100,
  contentTypeBytesMax: 64,
  nameBytesMax: 200,
  graceSecondsMax: 300,
  listPageMax: 200,
  listPageDefault: 50,
  metricKeysPerPointMax: 64,
  gpusMax: 64,
  /** Workers that one key may register; removed ones do not count. */
  workersPerKeyMax: 10_000,
  gpuIndexMax: 1_000,
} as const;

/** Times of the agent protocol (DESIGN.md section 4.6); those marked with * follow the configured worker timeout W. */
export const TIMES = {
  /** Default W: no beat for this long makes a worker `unreachable` and `offline`. */
  workerTimeoutMs: 60_000,
  workerTimeoutMsMin: 3_000,
  beatIntervalMs: 10_000,
  offerTtlMs: 15_000,
  /** An agent says hello as soon as it is connected; the first hello of a connection that comes later has lain somewhere, and is refused. */
  firstHelloWithinMs: 30_000,
  /** Share of a term, counted on the agent's clock from the moment of *sending*, after which it is treated as over. */
  agentShare: 0.7,
  lostAfterSecondsDefault: 300,
  graceSecondsDefault: 10,
  /** A job still not proven gone this long after KILL is `unkillable`. */
  unkillableAfterMs: 60_000,
} as const;

/** min(W/3, max(10 s, agents / 500 per second)): the interval between beats that the server tells each agent. */
export function beatIntervalMs(workerTimeoutMs: number, connectedAgents: number): number {
  return Math.min(workerTimeoutMs / 3, Math.max(TIMES.beatIntervalMs, (connectedAgents / 500) * 1_000));
}

/** The lease of a started attempt: W + `lostAfterSeconds`, from the last accepted renewal. */
export function leaseMs(workerTimeoutMs: number, lostAfterSeconds: number): number {
  return workerTimeoutMs + lostAfterSeconds * 1_000;
}
