import type { Stack } from '@muster/local-stack';
import type { Declare } from '../command.js';
import { stackEnvironment } from '../config.js';
import { readContexts, withContext, writeContexts } from '../contexts.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import type { Session } from '../session.js';
import { toPort } from '../submission/units.js';
import { exampleJob } from '../up/example.js';
import { StepLines } from '../up/step-lines.js';
import { renderNextSteps, renderPlaces, type WelcomeFacts } from '../up/welcome.js';

interface UpFlags {
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly example?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('up')
    .summary('Start Muster on this machine.')
    .description(
      'Start PostgreSQL, the control plane and one agent on this machine, and keep them running until Ctrl-C. DATABASE_URL names another PostgreSQL.',
    )
    .option('--port <n>', 'Port of the control plane (also MUSTER_PORT); the next free one when it is taken.', toPort)
    .option('--host <address>', 'Address to listen on (also MUSTER_HOST); only this machine reaches it unless given.')
    .option('--data-dir <path>', 'Where everything is kept (also MUSTER_DATA_DIR).')
    .option('--no-example', 'Do not run the example job at the first start.');
  bind(command, up);
};

const CONTEXT_NAME = 'local';

async function up(session: Session, flags: UpFlags): Promise<number> {
  const { installShutdown } = await import('@muster/local-stack');
  const interruption = new AbortController();
  let running: Promise<Stack | null> = Promise.resolve(null);
  let stack: Stack | null = null;
  const shutdown = installShutdown({
    run: async () => {
      session.output.note('\nStopping…');
      interruption.abort(new Error('Muster is being stopped'));
      await (await running.catch(() => null))?.stop();
      session.output.note('Stopped.');
    },
    insist: () => stack?.insist(),
  });
  running = start(session, flags, interruption.signal);
  try {
    stack = await running;
    if (stack === null) return EXIT.ok;
    await welcome(session, stack, flags, interruption.signal);
    const end = await stack.done;
    // A shutdown by signal ends the process itself; whatever else ended the stack was not asked for.
    if (end.reason === 'failed') throw toFailure(end.error, stack.logDir);
  } catch (error) {
    if (!shutdown.isRequested) throw error;
  } finally {
    if (!shutdown.isRequested) shutdown.dispose();
  }
  if (shutdown.isRequested) await new Promise<never>(() => undefined);
  return EXIT.ok;
}

/** Starts the stack; null when one runs on this data directory already, which has been said. */
async function start(session: Session, flags: UpFlags, signal: AbortSignal): Promise<Stack | null> {
  const { startStack, StackAlreadyRunning } = await import('@muster/local-stack');
  const { output } = session;
  const lines = new StepLines(output);
  try {
    return await startStack({
      env: stackEnvironment({
        MUSTER_PORT: flags.port,
        MUSTER_HOST: flags.host,
        MUSTER_DATA_DIR: flags.dataDir,
      }),
      signal,
      onProgress: (progress) => lines.show(progress),
      onNotice: (message) => lines.say(message),
    });
  } catch (error) {
    if (!(error instanceof StackAlreadyRunning)) throw toFailure(error);
    const { pid, url, dataDir } = error;
    if (output.isJson) await output.element({ type: 'alreadyRunning', pid, url: url ?? null, dataDir });
    else await output.line(`Muster is already running: ${url ?? 'still starting'} (pid ${pid}, data in ${dataDir})`);
    return null;
  }
}

async function welcome(session: Session, stack: Stack, flags: UpFlags, signal: AbortSignal): Promise<void> {
  const { output } = session;
  const facts: WelcomeFacts = { stack, ...saveContext(session, stack), program: session.environment.program };
  if (output.isJson) {
    const { url, dataDir, adminKeyFile, firstStart, database, logDir } = stack;
    const adminKey = firstStart ? stack.adminKey : undefined;
    await output.element({ type: 'ready', url, dataDir, adminKeyFile, adminKey, firstStart, database, logDir });
  } else await output.line(`\n${renderPlaces(facts, output.colours)}`);
  if (stack.firstStart && flags.example !== false) await showExample(session, stack, signal);
  if (!output.isJson) await output.line(`\n${renderNextSteps(facts)}`);
}

/** A start of a stack with a known key makes it reachable by its name; the first start makes it the current one. */
function saveContext(session: Session, stack: Stack): Pick<WelcomeFacts, 'contextName' | 'isCurrent'> {
  if (stack.adminKey === undefined) return { contextName: null, isCurrent: false };
  const folder = session.environment.configFolder;
  try {
    const before = readContexts(folder);
    const after = withContext(before, CONTEXT_NAME, { url: stack.url, key: stack.adminKey });
    const current = stack.firstStart ? CONTEXT_NAME : (before.current ?? CONTEXT_NAME);
    writeContexts(folder, { ...after, current });
    return { contextName: CONTEXT_NAME, isCurrent: current === CONTEXT_NAME };
  } catch (error) {
    session.output.note(`The CLI context could not be saved in ${folder}: ${String(error)}`);
    return { contextName: null, isCurrent: false };
  }
}

/** Runs the example and shows its log. That it fails is no reason to stop what was started. */
async function showExample(session: Session, stack: Stack, signal: AbortSignal): Promise<void> {
  const job = exampleJob(stack.dataDir);
  if (job === undefined || stack.adminKey === undefined) return;
  const { output } = session;
  session.redirect(
    { url: stack.url, key: stack.adminKey, contextName: CONTEXT_NAME, keySource: 'adminKeyFile' },
    signal,
  );
  try {
    const { send } = await import('./submit.js');
    const { followJob, reportEnd } = await import('../follow/follow-job.js');
    const [submitted] = await send(session, [job]);
    if (submitted === undefined) return;
    output.note(`\n  A first job: training a classifier (${submitted.id})\n`);
    const ended = await followJob(session, submitted.id, {});
    await reportEnd(session, ended, {});
  } catch (error) {
    signal.throwIfAborted();
    output.note(`The example did not run: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function toFailure(error: unknown, logFolder?: string): Failure {
  const isConfiguration = error instanceof Error && error.name === 'ConfigError';
  return new Failure({
    code: 'startFailed',
    exitCode: isConfiguration ? EXIT.usage : EXIT.failed,
    what: 'Muster could not be started.',
    why: error instanceof Error ? error.message : String(error),
    next: isConfiguration
      ? 'Correct the settings named above.'
      : `Correct this and start again${logFolder === undefined ? '' : `; logs are in ${logFolder}`}.`,
    cause: error,
  });
}
