import { runningJobs } from '../../src/agent-state.js';
import type { ReplicaSite } from '../cluster/site.js';
import { busyAgents } from './agents.js';
import { everyWorker, type FaultOf, type FaultTools } from './fault.js';

/** Replicas that run and hold the socket of an agent with a job. */
function busyReplicas({ site }: FaultTools): readonly ReplicaSite[] {
  const busy = site.agents.filter(({ attemptsDir }) => runningJobs(attemptsDir).length > 0);
  return site.replicas.filter(
    ({ part, port }) =>
      part.isRunning && busy.some(({ wire }) => wire.connections.some(({ targetPort }) => targetPort === port)),
  );
}

export const replicaStop: FaultOf = (tools, fault) =>
  busyReplicas(tools).map(({ part }) => ({
    name: part.name,
    holds: [part.name],
    workers: everyWorker(tools.site),
    strike: async () => {
      await part.signal('SIGSTOP');
      await tools.wait(fault.lengthMs);
      await part.signal('SIGCONT');
      return `SIGSTOP for ${fault.lengthMs} ms`;
    },
  }));

export const replicaEnd: FaultOf = (tools, fault) => {
  if (fault.variant < 0.2 && busyReplicas(tools).length > 0) return [rollingRestart(tools)];
  const name = fault.variant < 0.5 ? 'SIGTERM' : 'SIGKILL';
  return busyReplicas(tools).map(({ part }) => ({
    name: part.name,
    holds: [part.name],
    workers: everyWorker(tools.site),
    strike: async () => {
      await part.end(name);
      await tools.wait(fault.lengthMs);
      part.start();
      return `${name}, away for ${fault.lengthMs} ms`;
    },
  }));
};

/** One after the other, each waited for, as an update is done. */
function rollingRestart({ site, wait }: FaultTools): ReturnType<FaultOf>[number] {
  return {
    name: 'both replicas',
    holds: site.replicas.map(({ part }) => part.name),
    workers: everyWorker(site),
    strike: async () => {
      for (const { part, port } of site.replicas) {
        await part.end('SIGTERM');
        part.start();
        for (let i = 0; i < 100 && !(await isReady(port)); i++) await wait(100);
      }
      return 'rolling restart';
    },
  };
}

async function isReady(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(1_000) }).catch(
    () => null,
  );
  return answer?.ok === true;
}

export const databaseEnd: FaultOf = (tools, fault) => {
  if (!tools.site.isDatabaseUp || busyAgents(tools).length === 0) return [];
  const name = fault.variant < 0.7 ? 'SIGKILL' : 'SIGINT';
  const lengthMs = Math.min(fault.lengthMs, 2_000);
  return [
    {
      name: 'database',
      holds: ['database'],
      workers: everyWorker(tools.site),
      strike: async () => {
        await tools.site.endDatabase(name);
        await tools.wait(lengthMs);
        await tools.site.startDatabase();
        return `${name} of the postmaster, away for ${lengthMs} ms`;
      },
    },
  ];
};
