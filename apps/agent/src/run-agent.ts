import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { DISCONNECTS } from '@muster/protocol';
import { ConfigError, createLogger, exitCodeOfSignal, installShutdown } from '@muster/runtime';
import { Agent } from './agent.js';
import { AgentModule, type AgentModuleOptions } from './agent.module.js';
import { keyMissing, readConfig, shownKey, type AgentConfig } from './config.js';
import type { ExitEffect } from './connection/agent-runtime.js';
import { CannotWork, EXIT_CODES } from './exit-codes.js';
import type { AgentKey } from './identity/agent-key.js';
import { openKey } from './identity/open-key.js';
import { openStateDirectory } from './identity/state-directory.js';
import { StateLock } from './identity/state-lock.js';
import { listenToLauncher } from './launcher.js';

/** Runs the agent of this process until it shall end. Resolves with the exit code; never rejects. */
export async function runAgent(): Promise<number> {
  try {
    const config = readConfig({ warn: complain });
    const logger = createLogger({ name: 'agent', level: config.logLevel });
    const stateDir = await openStateDirectory(config.stateDir);
    const lock = await StateLock.take(stateDir);
    try {
      const key = await openKey({ ...config, logger }, stateDir);
      if (key === null) throw keyMissing();
      return await serve({ config, logger, stateDir, key });
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (isDiskFull(error)) {
      complain(
        'No space is left where the agent keeps its state (MUSTER_AGENT_STATE_DIR). Its jobs go on; free some space and start it again.',
      );
      return EXIT_CODES.failed;
    }
    complain(error instanceof Error ? error.message : String(error));
    const cannotWork = error instanceof CannotWork || error instanceof ConfigError;
    if (!cannotWork && error instanceof Error && error.stack) complain(error.stack);
    return cannotWork ? EXIT_CODES.cannotWork : EXIT_CODES.failed;
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

async function serve(parts: AgentModuleOptions): Promise<number> {
  const { config, logger, key } = parts;
  const beginning = begin(parts);
  // Heard from the first moment on, also by an agent that is still taking up what an earlier one left.
  const ended = endOf(beginning, { config, logger, key });
  const { end } = await beginning;
  const code = await ended;
  await end();
  return code;
}

interface Begun {
  readonly agent: Agent;
  readonly end: () => Promise<void>;
}

/** Resolves when the agent is at work. When that fails, everything it took is let go of. */
async function begin(parts: AgentModuleOptions): Promise<Begun> {
  const app = await NestFactory.createApplicationContext(AgentModule.forRoot(parts), {
    logger: false,
    abortOnError: false,
  });
  const agent = app.get(Agent);
  const end = async (): Promise<void> => {
    await agent.close();
    await app.close();
  };
  try {
    await agent.start();
    return { agent, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/**
 * Resolves with the exit code once the agent was asked to end and has, or the control plane will not have it. Whoever asks
 * before it has begun is heard when it has: until then nobody knows what there is to stop.
 */
function endOf(beginning: Promise<Begun>, { config, logger, key }: Omit<AgentModuleOptions, 'stateDir'>): Promise<number> {
  const whenBegun = (act: (agent: Agent) => void): void => {
    // A beginning that failed ends the agent by itself.
    beginning.then(({ agent }) => act(agent)).catch(() => undefined);
  };
  return new Promise((resolve) => {
    let isStoppingJobs = config.onTerm === 'stop';
    const shutdown = installShutdown({
      run: async (reason) => {
        logger.info({ reason, jobs: isStoppingJobs ? 'are stopped' : 'live on' }, 'agent ends');
        const { agent } = await beginning;
        await (isStoppingJobs ? agent.stopJobs() : agent.detach());
        resolve(EXIT_CODES.asked);
        // The process ends when the exit code is set and nothing is left to do.
        return await new Promise<never>(() => undefined);
      },
      insist: (reason) => {
        if (isStoppingJobs) whenBegun((agent) => void agent.hurry());
        else process.exit(reason === 'SIGTERM' || reason === 'SIGINT' ? exitCodeOfSignal(reason) : EXIT_CODES.failed);
      },
      onError: (error) => {
        logger.error({ err: error }, 'ending failed');
        resolve(EXIT_CODES.failed);
      },
    });
    listenToLauncher({
      stop: (graceSeconds) => {
        isStoppingJobs = true;
        whenBegun((agent) => agent.limitGrace(graceSeconds));
        if (shutdown.isRequested) whenBegun((agent) => void agent.stopJobs().then(() => resolve(EXIT_CODES.asked)));
        else shutdown.request('launcher asked to stop');
      },
      gone: () => shutdown.request('launcher is gone'),
    });
    whenBegun((agent) => {
      void agent.exit.then((exit) => {
        if (exit.reason === 'asked') return;
        complain(sentenceOf(exit, config, key));
        resolve(exit.reason === 'superseded' ? EXIT_CODES.superseded : EXIT_CODES.cannotWork);
      });
    });
  });
}

function sentenceOf({ reason }: ExitEffect, { url }: AgentConfig, key: AgentKey): string {
  if (reason === 'asked') return 'The agent was asked to end.';
  const { sentence } = DISCONNECTS[reason];
  const isAboutKey = reason === 'unauthenticated' || reason === 'keyRevoked';
  if (!isAboutKey) return `${sentence} (control plane ${url})`;
  const next = 'Give it a key that works, or a new enrolment token, and start it again; its jobs go on meanwhile.';
  return `${sentence} (control plane ${url}, key ${shownKey(key.shown)}) ${next}`;
}

/** For the operator, beside the log: what ended the agent. Keys appear only as far as they may. */
function complain(message: string): void {
  process.stderr.write(`muster agent: ${message}\n`);
}
