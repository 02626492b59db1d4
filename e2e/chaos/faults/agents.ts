import { runningJobs, supervisorsOf } from '../../src/agent-state.js';
import { signal } from '../../src/processes.js';
import type { AgentSite } from '../cluster/site.js';
import type { FaultOf, FaultTools, Victim } from './fault.js';

/** Points that every job passes; those of a stop are proven one by one in crash-points.spec.ts. */
const COMMON_CRASH_POINTS = ['afterIntent', 'beforeSpawn', 'afterSpawn', 'afterExitSeen', 'afterExitRecorded'] as const;
/** A start, and jobs that come as far, on a busy machine. */
const CRASH_PATIENCE_MS = 20_000;

/** Agents that run and have a job whose process lives. */
export function busyAgents({ site }: FaultTools): readonly AgentSite[] {
  return site.agents.filter(({ part, attemptsDir }) => part.isRunning && runningJobs(attemptsDir).length > 0);
}

type AgentStrike = (agent: AgentSite, tools: FaultTools) => Victim['strike'];

const onAgents =
  (toStrike: (fault: Parameters<FaultOf>[1]) => AgentStrike): FaultOf =>
  (tools, fault) =>
    busyAgents(tools).map((agent) => ({
      name: agent.part.name,
      holds: [agent.part.name],
      workers: [agent.name],
      strike: toStrike(fault)(agent, tools),
    }));

export const agentKill = onAgents((fault) => ({ part }, { wait }) => async () => {
  await part.end('SIGKILL');
  await wait(fault.lengthMs);
  part.start();
  return `SIGKILL, away for ${fault.lengthMs} ms`;
});

export const agentStop = onAgents((fault) => ({ part }, { wait }) => async () => {
  await part.signal('SIGSTOP');
  await wait(fault.lengthMs);
  await part.signal('SIGCONT');
  return `SIGSTOP for ${fault.lengthMs} ms`;
});

/** Armed with a point it dies at, as if by chance; half of them take every supervisor of the agent along. */
export const agentCrash = onAgents((fault) => ({ part, stateDir }, { wait }) => async (said) => {
  const point = COMMON_CRASH_POINTS[Math.floor(fault.variant * COMMON_CRASH_POINTS.length)] ?? 'afterSpawn';
  const passing = 1 + Math.floor(fault.victim * 2);
  await part.end('SIGKILL');
  part.start({ MUSTER_CRASH_AT: `${point}:${passing}` }, true);
  const hasDied = await Promise.race([part.ended().then(() => true), wait(CRASH_PATIENCE_MS).then(() => false)]);
  if (hasDied) said(`died at ${point}:${passing}`);
  else await part.end('SIGKILL');
  const withSupervisors = hasDied && (fault.variant * 100) % 1 < 0.5;
  if (withSupervisors) for (const one of supervisorsOf(stateDir)) signal(one, 'SIGKILL');
  await wait(Math.min(fault.lengthMs, 1_500));
  part.start();
  if (!hasDied) return null;
  return `SIGKILL at ${point}:${passing}${withSupervisors ? ' with its supervisors' : ''}`;
});
