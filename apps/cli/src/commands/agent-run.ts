import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import type { Bind } from '../command.js';
import { setEnvironment } from '../config.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import type { Session } from '../session.js';
import { intoList } from '../submission/units.js';

interface RunFlags {
  readonly name?: string;
  readonly slots?: string;
  readonly label?: readonly string[];
  readonly stateDir?: string;
}

/** `muster agent run`: the agent itself, in this very process. */
export function declareRun(agent: Command, bind: Bind): void {
  const running = agent
    .command('run')
    .summary('Run the agent here, in the foreground.')
    .description(
      'Run the agent of this machine in this terminal or service, with the settings of this environment (MUSTER_URL, MUSTER_AGENT_…, see docs/agent.md); options win over them. SIGTERM or Ctrl-C end the agent and leave its jobs running: the next start, also of a newer version, goes on with them.',
    )
    .option('--name <text>', 'What people call this worker (also MUSTER_AGENT_NAME).')
    .option('--slots <n>', 'How many jobs run here at once (also MUSTER_AGENT_SLOTS).')
    .option('-l, --label <name=value>', 'What jobs may ask for; may be repeated (also MUSTER_AGENT_LABELS).', intoList)
    .option('--state-dir <path>', 'Where identity, running jobs and unsent logs are kept (also MUSTER_AGENT_STATE_DIR).')
    .addHelpText(
      'after',
      '\nExamples:\n  muster agent run --url http://head:6878 --key-file worker.key --slots 4\n  MUSTER_AGENT_ENROLMENT_TOKEN=mst_enr_… muster agent run --name lab-3\n',
    );
  bind(running, run);
}

/**
 * Becomes the agent: whoever manages this process, by signals or as a service, manages the agent and nothing in between.
 * Returns never; the agent ends the process with a code of its own (docs/agent.md).
 */
async function run(session: Session, flags: RunFlags): Promise<number> {
  // --json changes nothing: what an agent says are JSON lines with it and without.
  const { url, keyFile, context } = session.options;
  if (context !== undefined) {
    throw new Failure({
      code: 'usage',
      exitCode: EXIT.usage,
      what: '--context means nothing to an agent.',
      why: 'A context holds the key of a person; an agent has its own.',
      next: 'muster agent run --help',
    });
  }
  const { builtPrograms, NotBuilt } = await import('@muster/local-stack');
  const { existsSync } = await import('node:fs');
  const { agent: path } = builtPrograms();
  if (!existsSync(path)) {
    const { message: why } = new NotBuilt([path]);
    throw new Failure({ code: 'notBuilt', exitCode: EXIT.failed, what: 'The agent is not built.', why, next: 'npm run build' });
  }
  setEnvironment({
    MUSTER_URL: url,
    MUSTER_AGENT_KEY_FILE: keyFile,
    MUSTER_AGENT_NAME: flags.name,
    MUSTER_AGENT_SLOTS: flags.slots,
    MUSTER_AGENT_LABELS: flags.label?.join(','),
    MUSTER_AGENT_STATE_DIR: flags.stateDir,
  });
  session.close();
  process.argv.splice(1, process.argv.length, path);
  await import(pathToFileURL(path).href);
  return EXIT.ok;
}
