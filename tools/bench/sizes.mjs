// How much each mode measures. `full` is for figures that are published, `quick` for a look (all suites within ten minutes on
// two cores), `smoke` only proves that every suite runs to its end.

const core = {
  full: {
    rounds: 5,
    warmUps: 1,
    moreAgents: 2,
    roundSeconds: 8,
    jobsMin: 200,
    jobsMax: 6_000,
    rawSpawns: 2_000,
    samples: 150,
    commits: 300,
    nodeSpawns: 600,
    singles: 2_000,
    batches: 60,
    noOpJobs: 8_000,
    inserts: 8_000,
    batchedCommits: 500,
    echoes: 40_000,
    sequentialEchoes: 2_000,
    echoMegabytes: 200,
  },
  quick: {
    rounds: 3,
    warmUps: 1,
    moreAgents: 2,
    roundSeconds: 5,
    jobsMin: 100,
    jobsMax: 3_000,
    rawSpawns: 1_000,
    samples: 40,
    commits: 150,
    nodeSpawns: 300,
    singles: 600,
    batches: 20,
    noOpJobs: 3_000,
    inserts: 3_000,
    batchedCommits: 200,
    echoes: 15_000,
    sequentialEchoes: 500,
    echoMegabytes: 60,
  },
  smoke: {
    rounds: 1,
    warmUps: 0,
    moreAgents: 1,
    roundSeconds: 0.2,
    jobsMin: 4,
    jobsMax: 4,
    rawSpawns: 20,
    samples: 1,
    commits: 3,
    nodeSpawns: 8,
    singles: 8,
    batches: 1,
    noOpJobs: 20,
    inserts: 40,
    batchedCommits: 2,
    echoes: 200,
    sequentialEchoes: 10,
    echoMegabytes: 1,
  },
};

const logs = {
  full: {
    rounds: 3,
    lines: 1_000_000,
    lineBytes: 200,
    jobsAtOnce: 50,
    linesEach: 20_000,
    tailLines: 100,
    tailPauseMs: 50,
    largeBytes: 1_000_000_000,
    pages: 40,
    gzipBytes: 32_000_000,
    copyLines: 100_000,
  },
  quick: {
    rounds: 1,
    lines: 1_000_000,
    lineBytes: 200,
    jobsAtOnce: 50,
    linesEach: 4_000,
    tailLines: 60,
    tailPauseMs: 40,
    largeBytes: 300_000_000,
    pages: 20,
    gzipBytes: 16_000_000,
    copyLines: 40_000,
  },
  smoke: {
    rounds: 1,
    lines: 2_000,
    lineBytes: 200,
    jobsAtOnce: 3,
    linesEach: 50,
    tailLines: 2,
    tailPauseMs: 10,
    largeBytes: 600_000,
    pages: 1,
    gzipBytes: 200_000,
    copyLines: 200,
  },
};

const scale = {
  // As many jobs at each level, so that beginnings and ends weigh the same.
  full: { levels: [1_000, 100_000, 1_000_000], samples: 60, drained: 400, drains: 7 },
  quick: { levels: [1_000, 100_000], samples: 25, drained: 400, drains: 3 },
  smoke: { levels: [50, 100], samples: 1, drained: 10, drains: 1 },
};

const fleet = {
  full: { agents: 2_000, seconds: 120, offers: 60, afterSeconds: 15 },
  quick: { agents: 500, seconds: 20, offers: 20, afterSeconds: 12 },
  // Nobody learns anything from waiting for agents to try again.
  smoke: { agents: 6, seconds: 0.5, offers: 1, afterSeconds: 0.1, retry: { baseMs: 50, maxMs: 100 } },
};

const footprint = {
  full: { idleSeconds: 60, starts: 7 },
  quick: { idleSeconds: 20, starts: 3 },
  smoke: { idleSeconds: 0.3, starts: 1 },
};

export const SUITES = ['core', 'logs', 'fleet', 'scale', 'footprint'];
export const MODES = ['full', 'quick', 'smoke'];

/** @param {string} suite one of SUITES @param {string} mode one of MODES */
export function sizesOf(suite, mode) {
  return { core, logs, scale, fleet, footprint }[suite][mode];
}
