import type { AgentCheck } from '@muster/protocol';
import { InvalidArgumentError } from 'commander';
import type { FoundAgent } from '../agent/find-agents.js';
import type { Declare } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageFailure } from '../failure.js';
import type { Session } from '../session.js';
import { CLI_VERSION } from '../version.js';
import { declareRun } from './agent-run.js';

interface AgentFlags {
  readonly port?: number;
}

const PORT_WORDS = 'Port of its status page (also MUSTER_AGENT_MONITOR_PORT); the usual ones unless given.';

export const declare: Declare = (program, bind) => {
  const agent = program
    .command('agent')
    .summary('Run and look at the agent of this machine.')
    .description('Run the agent of this machine, look at those that run here, and at what this machine can do for one.');
  declareRun(agent, bind);
  const showing = agent
    .command('status')
    .summary('Show the agents that run here.')
    .description(
      'Show the agents that run on this machine: link, slots, hardware, load, jobs. Ends with 3 when there is none, with 6 when one has no connection to its control plane.',
    )
    .option('--port <n>', PORT_WORDS, toPort);
  bind(showing, status);
  const examining = agent
    .command('doctor')
    .summary('Find out what is wrong here.')
    .description(
      'Check what an agent needs on this machine: settings, directory, disk, control groups, containment, GPU tool, clock, link and version. Asks the agent that runs here; where none does, its program looks, with the settings of this environment. Ends with 1 when something failed, with 6 when it is only the way to the control plane.',
    )
    .option('--port <n>', PORT_WORDS, toPort);
  bind(examining, doctor);
};

async function status(session: Session, flags: AgentFlags): Promise<number> {
  const { output } = session;
  const agents = await find(session, flags);
  if (agents.length === 0) throw noAgent(session, flags);
  const isOnline = agents.every(({ status: one }) => one.status === 'online');
  if (output.isJson) await output.document(agents.map(({ port, status: one }) => ({ port, ...one })));
  else {
    const { renderAgent } = await import('../agent/render.js');
    await output.line(agents.map((one) => renderAgent(one, Date.now(), output.columns, output.colours)).join('\n\n'));
  }
  return isOnline ? EXIT.ok : EXIT.unreachable;
}

async function doctor(session: Session, flags: AgentFlags): Promise<number> {
  const { output, signal } = session;
  const { askControlPlane } = await import('../agent/ask-control-plane.js');
  const { checkClock, checkControlPlane, checkVersion, exitCodeOfChecks, worstOf } = await import('../agent/checks.js');
  const subject = await examine(session, flags);
  const url = session.options.url ?? subject.url;
  const asked = url === null ? null : await askControlPlane(url, signal);
  const versions = { agent: subject.version, cli: CLI_VERSION, controlPlane: await versionAt(session, url) };
  const checks: AgentCheck[] = [
    ...subject.checks,
    ...(asked === null || url === null ? [] : [checkControlPlane(url, asked), checkClock(asked)]),
    checkVersion(versions),
  ];
  const { port, name } = subject;
  if (output.isJson)
    await output.document({ running: port !== null, port, name, url, result: worstOf(checks), checks });
  else {
    const { renderChecks } = await import('../agent/render.js');
    await output.line(renderChecks(checks, output.columns, output.colours));
  }
  return exitCodeOfChecks(checks);
}

/** What is known of this machine: from the agent that runs, or from its program where none does. */
interface Subject {
  readonly port: number | null;
  readonly name: string | null;
  readonly version: string;
  readonly url: string | null;
  readonly checks: readonly AgentCheck[];
}

async function examine(session: Session, flags: AgentFlags): Promise<Subject> {
  const agents = await find(session, flags);
  const [agent] = agents;
  if (agents.length > 1) {
    const known = agents.map(({ port, status: one }) => `${one.name} on ${port}`).join(', ');
    throw usageFailure('Several agents run on this machine.', 'muster agent doctor --port <n>', `They are ${known}.`);
  }
  if (agent !== undefined) return ofRunning(agent);
  const { NotBuilt, builtPrograms } = await import('@muster/local-stack');
  const { existsSync } = await import('node:fs');
  const { agent: path } = builtPrograms();
  if (!existsSync(path)) {
    const { message: why } = new NotBuilt([path]);
    throw new Failure({
      code: 'notBuilt',
      exitCode: EXIT.failed,
      what: 'No agent runs here, and none is built.',
      why,
      next: 'npm run build',
    });
  }
  const { askProgram } = await import('../agent/ask-program.js');
  const { version, url, checks } = await askProgram(path, session.signal);
  const detail = 'No agent runs on this machine, or it has no status page; its program was asked.';
  return {
    port: null,
    name: null,
    version,
    url,
    checks: [
      {
        name: 'agent',
        result: 'warning',
        detail,
        advice: 'Start one: muster agent run, or muster up for a whole Muster.',
      },
      ...checks,
    ],
  };
}

async function ofRunning({ port, status: agent }: FoundAgent): Promise<Subject> {
  const { checkLink } = await import('../agent/checks.js');
  const detail = `${agent.name} runs as process ${agent.pid} (status page on port ${port}, ${agent.mode}).`;
  const { name, version, url } = agent;
  const running: AgentCheck = { name: 'agent', result: 'ok', detail, advice: null };
  return { port, name, version, url, checks: [running, checkLink(agent, Date.now()), ...agent.checks] };
}

async function find(session: Session, { port }: AgentFlags): Promise<FoundAgent[]> {
  const { findAgents, portsToAsk } = await import('../agent/find-agents.js');
  return findAgents(portsToAsk(port ?? session.environment.agentMonitorPort), session.signal);
}

function noAgent(session: Session, { port }: AgentFlags): Failure {
  const named = port ?? session.environment.agentMonitorPort;
  const where = named === undefined ? 'on the usual ports of status pages' : `on port ${named}`;
  return new Failure({
    code: 'notFound',
    exitCode: EXIT.notFound,
    what: 'No agent runs on this machine.',
    why: `None answers ${where}. One with MUSTER_AGENT_MONITOR_PORT=off has no status page.`,
    next: 'muster agent doctor',
  });
}

/** Only where there is a key for that very control plane; null where there is none, or it does not answer. */
async function versionAt(session: Session, url: string | null): Promise<string | null> {
  const { target } = session;
  if (url === null || target.key === undefined || new URL(target.url).origin !== new URL(url).origin) return null;
  const muster = await session.muster();
  return muster.meta({ signal: session.signal }).then(
    ({ version }) => version,
    () => null,
  );
}

function toPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError(`Give a port from 1 to 65535, not ${JSON.stringify(text)}.`);
}
