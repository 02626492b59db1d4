import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '@muster/testing';
import { Site } from './cluster/site.js';
import { Feeder, type OwedJob } from './jobs/feeder.js';
import type { Finding } from './judge/finding.js';
import { judgeLeases } from './judge/leases.js';
import { judgeLeftovers, judgeSlots, judgeStoppedAgents } from './judge/leftovers.js';
import { judgeOutcomes } from './judge/outcomes.js';
import { Records } from './judge/records.js';
import { judgeReports } from './judge/reports.js';
import { Nemesis } from './nemesis.js';
import { FAULT_KINDS, planFaults, type FaultKind } from './plan.js';
import { writeReport } from './report.js';
import { Timeline } from './timeline.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly faults: number;
  /** Only these; all that the machine can do unless told. */
  readonly kinds?: readonly FaultKind[];
  /** Jobs kept unfinished at once. */
  readonly jobsAtOnce?: number;
  readonly lengthFactor?: number;
  readonly say: (line: string) => void;
  /** Breaks the run off; what it started is ended. */
  readonly signal?: AbortSignal;
}

export interface ChaosResult {
  readonly findings: readonly Finding[];
  /** Faults of each kind that fell. */
  readonly counts: Readonly<Partial<Record<FaultKind, number>>>;
  readonly jobs: readonly OwedJob[];
  readonly statuses: Readonly<Record<string, number>>;
  /** Kinds this machine cannot do, with the reason. */
  readonly impossible: Readonly<Partial<Record<FaultKind, string>>>;
  /** Findings with seed, timeline, the jobs' events and where the logs of the parts lie; empty when there are none. */
  readonly report: string;
}

const JOBS_AT_ONCE = 22;
const REST_MS = 120_000;

/** A whole run: a site, people, faults, healing, rest, judgement. Nothing is left running, also when it throws. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const site = new Site();
  // Decimal, because it is also part of a number of seconds.
  const marker = `${process.pid}${randomBytes(4).readUInt32BE()}`;
  const timeline = new Timeline();
  options.signal?.addEventListener('abort', () => site.deaths.push('broken off'));
  try {
    await site.open();
    return await struck(site, marker, timeline, options);
  } catch (error) {
    const deaths = site.deaths.map((sentence) => `\n${sentence}`).join('');
    options.say(
      `seed ${options.seed}; faults so far:\n${timeline.toText()}${deaths}\nlogs of the parts: ${keepLogs(site)}`,
    );
    throw error;
  } finally {
    await site.close();
    site.remove();
  }
}

async function struck(site: Site, marker: string, timeline: Timeline, options: ChaosOptions): Promise<ChaosResult> {
  const { seed, faults, say, kinds = FAULT_KINDS, lengthFactor = 1 } = options;
  const impossible: Partial<Record<FaultKind, string>> =
    site.noSmallDisk === null ? {} : { diskFull: site.noSmallDisk };
  const possible = kinds.filter((kind) => !(kind in impossible));
  const plan = planFaults({ seed, faults, kinds: possible, lengthFactor });
  const feeder = new Feeder({
    api: site.api,
    chance: new Random(seed ^ 0x5eed),
    marksFile: site.marksFile,
    marker,
    target: options.jobsAtOnce ?? JOBS_AT_ONCE,
  });
  feeder.start();
  await new Nemesis(site, plan, timeline, say).run();
  if (site.deaths.length > 0) throw new Error(site.deaths.join('\n'));
  say('healed; waiting for rest');
  await site.rest();
  await feeder.stop();
  const findings: Finding[] = [...(await waitForRest(feeder))];
  timeline.noteLoad();
  const records = await Records.read(site.databaseUrl);
  findings.push(
    ...judgeOutcomes(feeder.owed, records, timeline),
    ...judgeLeases(feeder.owed, records, site.marksFile),
    ...(await judgeReports(feeder.owed.values(), records, site.api)),
    ...(await judgeLeftovers(site, marker, records)),
    ...judgeSlots(records),
  );
  await site.stopAgents();
  findings.push(...(await judgeStoppedAgents(site, marker)));
  // Also what ended by itself after the last fault.
  findings.push(...site.deaths.map((sentence) => ({ jobId: null, sentence })));
  const report = findings.length === 0 ? '' : writeReport({ seed, findings, timeline, records, logs: keepLogs(site) });
  const counts = Object.fromEntries(possible.map((kind) => [kind, timeline.count(kind)]));
  const statuses: Record<string, number> = {};
  for (const { status, reason } of records.jobs.values())
    statuses[`${status} ${reason}`] = (statuses[`${status} ${reason}`] ?? 0) + 1;
  return { findings, counts, jobs: [...feeder.owed.values()], statuses, impossible, report };
}

async function waitForRest(feeder: Feeder): Promise<readonly Finding[]> {
  const untilMs = performance.now() + REST_MS;
  for (;;) {
    const unfinished = await feeder.unfinished();
    if (unfinished.length === 0) return [];
    if (performance.now() > untilMs)
      return unfinished.map(({ id, name, status }) => ({
        jobId: id,
        sentence: `${name} is ${status} ${REST_MS} ms after everything healed`,
      }));
    await delay(200);
  }
}

/** Copies what the parts said to a folder that outlives the run. */
function keepLogs(site: Site): string {
  const folder = mkdtempSync(join(tmpdir(), 'muster-chaos-logs-'));
  for (const name of readdirSync(site.folder))
    if (name.endsWith('.log') || name === 'marks') copyFileSync(join(site.folder, name), join(folder, name));
  return folder;
}
