import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptView } from '@muster/protocol';
import type { ChaosApi } from '../cluster/chaos-api.js';
import type { OwedJob } from '../jobs/feeder.js';
import type { Finding } from './finding.js';
import type { Records } from './records.js';

const COMPLETE_MS = 30_000;
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** Logs, metrics and results of every job whose program came to its own end are what the program made. */
export async function judgeReports(
  owed: Iterable<OwedJob>,
  records: Records,
  api: ChaosApi,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const printed = new Map<string, string>();
  for (const job of owed) {
    const last = records.attemptsOf(job.id).at(-1);
    if (last?.outcome !== 'succeeded' && last?.outcome !== 'failed') continue;
    for (const sentence of [
      await wrongLog(job, api, printed),
      ...(job.reports ? await wrongReports(job, records, api) : []),
    ])
      if (sentence !== null) findings.push({ jobId: job.id, sentence: `${job.fixture}: ${sentence}` });
  }
  return findings;
}

async function wrongLog(job: OwedJob, api: ChaosApi, printed: Map<string, string>): Promise<string | null> {
  const state = await logState(job.id, api);
  if (state !== 'complete') return `its log is ${state} ${COMPLETE_MS} ms after everything was at rest`;
  const bytes = await api.log(job.id);
  const expected = expectedSha256(job, printed);
  return sha256(bytes) === expected ? null : `its log (${bytes.length} bytes) differs from what its program prints`;
}

/** A log of nothing has no stream, and is complete. */
async function logState(id: string, api: ChaosApi): Promise<string> {
  const untilMs = performance.now() + COMPLETE_MS;
  for (;;) {
    const { data } = await api.get<{ data: readonly AttemptView[] }>(`/api/v1/jobs/${id}/attempts`);
    const state = data.at(-1)?.logs.output?.state ?? 'complete';
    if (state === 'complete' || performance.now() > untilMs) return state;
    await delay(250);
  }
}

/** By running the program by hand, once for each different environment. */
function expectedSha256(job: OwedJob, printed: Map<string, string>): string {
  if (!job.printer) return sha256(job.log ?? '');
  const [program = '', ...args] = job.printer.program;
  const key = JSON.stringify(job.printer);
  const known = printed.get(key);
  if (known) return known;
  const { stdout, error } = spawnSync(program, args, { env: job.printer.env, maxBuffer: 2 ** 30 });
  if (error) throw error;
  const digest = sha256(stdout);
  printed.set(key, digest);
  return digest;
}

interface Metric {
  readonly attemptId: string;
  readonly step: number;
  readonly values: { readonly loss: number };
}

const STEPS = 5;

/**
 * A process that was lost leaves the steps it came to, and they may arrive after the first of its successor. Of each process
 * every step once and in order; of one all of them.
 */
export function tellsWholeRun(metrics: readonly Metric[]): boolean {
  const nextOf = new Map<string, number>();
  for (const { attemptId, step, values } of metrics) {
    if (step !== (nextOf.get(attemptId) ?? 0) || values.loss !== 1 / (step + 1)) return false;
    nextOf.set(attemptId, step + 1);
  }
  return [...nextOf.values()].includes(STEPS);
}

const RESULT = { answer: 42, nul: 'a\u0000b' };

async function wrongReports(job: OwedJob, records: Records, api: ChaosApi): Promise<(string | null)[]> {
  const { data } = await api.get<{ data: readonly Metric[] }>(`/api/v1/jobs/${job.id}/metrics`);
  const isWhole = tellsWholeRun(data);
  const { result } = records.jobs.get(job.id) ?? {};
  return [
    isWhole ? null : `its metrics are ${JSON.stringify(data)}`,
    JSON.stringify(result) === JSON.stringify(RESULT) ? null : `its result is ${JSON.stringify(result)}`,
  ];
}
