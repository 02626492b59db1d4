import { runningJobs, supervisorOf, wardenOf } from '../../src/agent-state.js';
import { isAlive, signal, type Identity } from '../../src/processes.js';
import type { AgentSite } from '../cluster/site.js';
import type { FaultOf, FaultTools } from './fault.js';

interface BusySupervisor {
  readonly agent: AgentSite;
  readonly executionId: string;
  readonly jobId: string;
  readonly identity: Identity;
}

/** Supervisors with a living job, whether their agent lives or not. */
function busySupervisors({ site }: FaultTools): readonly BusySupervisor[] {
  return site.agents.flatMap((agent) =>
    runningJobs(agent.attemptsDir).flatMap(({ executionId, jobId }) => {
      const identity = supervisorOf(agent.attemptsDir, executionId);
      return identity ? [{ agent, executionId, jobId, identity }] : [];
    }),
  );
}

export const supervisorKill: FaultOf = (tools) =>
  busySupervisors(tools).map(({ agent, executionId, jobId, identity }) => ({
    name: `supervisor of ${executionId} on ${agent.name}`,
    holds: [executionId],
    workers: [agent.name],
    strike: () =>
      Promise.resolve(signal(identity, 'SIGKILL') ? `SIGKILL of ${identity.pid}, which watched ${jobId}` : null),
  }));

export const supervisorStop: FaultOf = (tools, fault) =>
  busySupervisors(tools).map(({ agent, executionId, jobId, identity }) => ({
    name: `supervisor of ${executionId} on ${agent.name}`,
    holds: [executionId],
    workers: [agent.name],
    strike: async () => {
      if (!signal(identity, 'SIGSTOP')) return null;
      await tools.wait(fault.lengthMs);
      signal(identity, 'SIGCONT');
      return `SIGSTOP of ${identity.pid}, which watched ${jobId}, for ${fault.lengthMs} ms`;
    },
  }));

/**
 * The promise to exclusive jobs stands while agent, supervisor or warden can act: so the agent is spared until its warden
 * works again.
 */
export const wardenEnd: FaultOf = (tools, fault) =>
  tools.site.agents.flatMap((agent) => {
    const identity = agent.part.isRunning ? wardenOf(agent.stateDir) : null;
    if (!identity || !isAlive(identity) || runningJobs(agent.attemptsDir).length === 0) return [];
    const holds = [`warden of ${agent.name}`, agent.part.name];
    const strike = fault.variant < 0.6 ? killed(agent, identity, tools) : stopped(identity, fault.lengthMs, tools);
    return [{ name: `warden of ${agent.name}`, holds, workers: [agent.name], strike }];
  });

const WARDEN_BACK_MS = 5_000;

function killed(agent: AgentSite, identity: Identity, { wait }: FaultTools): () => Promise<string | null> {
  return async () => {
    if (!signal(identity, 'SIGKILL')) return null;
    for (let waited = 0; waited < WARDEN_BACK_MS && !wardenOf(agent.stateDir); waited += 100) await wait(100);
    return `SIGKILL of ${identity.pid}`;
  };
}

function stopped(identity: Identity, lengthMs: number, { wait }: FaultTools): () => Promise<string | null> {
  return async () => {
    if (!signal(identity, 'SIGSTOP')) return null;
    await wait(lengthMs);
    signal(identity, 'SIGCONT');
    return `SIGSTOP of ${identity.pid} for ${lengthMs} ms`;
  };
}
