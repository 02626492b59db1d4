import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { preparedExecutions, runningJobs, supervisorsOf } from '../../src/agent-state.js';
import { controlGroupRootsOf, controlGroupsOf } from '../../src/control-groups.js';
import { processesMarked, readOfProcess } from '../../src/processes.js';
import { SLOTS, type AgentSite, type Site } from '../cluster/site.js';
import type { Finding } from './finding.js';
import type { Records } from './records.js';

const REST_MS = 30_000;

/**
 * When everything is at rest nothing of a job is left on the machines: no process, no directory, no control group but those
 * an agent prepared for what comes next, and of these no more than it has slots.
 */
export async function judgeLeftovers(site: Site, marker: string, records: Records): Promise<readonly Finding[]> {
  const leftAt = (agent: AgentSite): readonly string[] => [
    ...leftDirectories(agent),
    ...leftGroups(agent, records.workers.find(({ name }) => name === agent.name)?.containment === 'cgroup'),
  ];
  return lastOf(() => [...leftProcesses(marker), ...site.agents.flatMap(leftAt)]);
}

/** Agents that were stopped in order leave only what they know. */
export async function judgeStoppedAgents(site: Site, marker: string): Promise<readonly Finding[]> {
  return lastOf(() => [
    ...leftProcesses(marker),
    ...site.agents.flatMap(({ name, stateDir }) => [
      ...supervisorsOf(stateDir).map(({ pid }) => `agent ${name} was stopped, and its supervisor ${pid} lives`),
      ...controlGroupRootsOf(stateDir).map((path) => `agent ${name} was stopped, and left ${path}`),
      ...preparedExecutions(stateDir).map((id) => `agent ${name} was stopped, and keeps ${id} prepared`),
    ]),
  ]);
}

export function judgeSlots(records: Records): readonly Finding[] {
  return records.workers
    .filter(({ slots, slotsUsable, link }) => slots !== slotsUsable || link !== 'connected')
    .map((worker) => ({ jobId: null, sentence: `worker ${worker.name} is not as it was: ${JSON.stringify(worker)}` }));
}

/** What is still said after everything had time to end. */
async function lastOf(look: () => readonly string[]): Promise<readonly Finding[]> {
  const untilMs = performance.now() + REST_MS;
  for (;;) {
    const sentences = look();
    if (sentences.length === 0 || performance.now() > untilMs)
      return sentences.map((sentence) => ({ jobId: null, sentence }));
    await delay(200);
  }
}

function leftProcesses(marker: string): readonly string[] {
  return processesMarked(marker).map((pid) => `process ${pid} is left: ${commandOf(pid)}`);
}

const commandOf = (pid: number): string => readOfProcess(pid, 'cmdline').replaceAll('\0', ' ') || '(gone by now)';

function leftDirectories({ name, attemptsDir, stateDir }: AgentSite): readonly string[] {
  const prepared = preparedExecutions(stateDir);
  return [
    ...readdirSync(attemptsDir).map((directory) => `agent ${name} keeps ${directory}`),
    ...runningJobs(attemptsDir).map(({ jobId }) => `a process of ${jobId} runs on ${name}`),
    ...(prepared.length > SLOTS ? [`agent ${name} with ${SLOTS} slots prepared ${prepared.join(', ')}`] : []),
  ];
}

function leftGroups({ name, stateDir }: AgentSite, hasGroups: boolean): readonly string[] {
  const groups = [...controlGroupsOf(stateDir)].sort().join(', ');
  const prepared = hasGroups ? [...preparedExecutions(stateDir)].sort().join(', ') : '';
  return [
    ...(hasGroups && controlGroupRootsOf(stateDir).length === 0 ? [`the control groups of ${name} are nowhere`] : []),
    ...(groups === prepared
      ? []
      : [`agent ${name} prepared ${prepared || 'nothing'} and has the control groups ${groups || 'of nobody'}`]),
  ];
}
