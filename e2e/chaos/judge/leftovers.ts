import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { processesMarked } from '../../src/processes.js';
import type { AgentSite, Site } from '../cluster/site.js';
import type { Finding } from './finding.js';
import type { Records } from './records.js';

const REST_MS = 30_000;

/** When everything is at rest nothing is left on the machines: no process of a job, no directory, no slot held back. */
export async function judgeLeftovers(site: Site, marker: string): Promise<readonly Finding[]> {
  const untilMs = performance.now() + REST_MS;
  for (;;) {
    const findings = [...leftProcesses(marker), ...site.agents.flatMap(leftDirectories)];
    if (findings.length === 0 || performance.now() > untilMs) return findings;
    await delay(200);
  }
}

export function judgeSlots(records: Records): readonly Finding[] {
  return records.workers
    .filter(({ slots, slotsUsable, link }) => slots !== slotsUsable || link !== 'connected')
    .map((worker) => ({ jobId: null, sentence: `worker ${worker.name} is not as it was: ${JSON.stringify(worker)}` }));
}

function leftProcesses(marker: string): Finding[] {
  return processesMarked(marker).map((pid) => ({ jobId: null, sentence: `process ${pid} is left: ${commandOf(pid)}` }));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '(gone by now)';
  }
}

function leftDirectories({ name, attemptsDir }: AgentSite): Finding[] {
  return readdirSync(attemptsDir).map((directory) => ({ jobId: null, sentence: `agent ${name} keeps ${directory}` }));
}
