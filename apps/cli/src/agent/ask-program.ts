import { spawn } from 'node:child_process';
import type { AgentDoctorView } from '@muster/protocol';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';

/** Probing containment starts and kills small trees; a GPU tool may use its whole time. */
const PATIENCE_MS = 90_000;

/**
 * Has the agent's own program look at this machine, with the settings of this environment. It starts no agent.
 *
 * @throws Failure when it cannot be run or does not answer
 */
export async function askProgram(path: string, signal: AbortSignal): Promise<AgentDoctorView> {
  const output = await run(path, signal);
  try {
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as AgentDoctorView;
  } catch (error) {
    throw failure(`it printed ${JSON.stringify(output.slice(0, 200))}`, error);
  }
}

function run(path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, 'doctor'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
    child.once('error', (error) => reject(failure(error.message, error)));
    child.once('close', (code, ended) => {
      if (code === 0) resolve(output);
      else reject(failure(`it ended with ${ended ?? `code ${code}`}`));
    });
  });
}

function failure(why: string, cause?: unknown): Failure {
  return new Failure({
    code: 'agentProgram',
    exitCode: EXIT.failed,
    what: "The agent's program could not look at this machine.",
    why,
    next: 'npm run build',
    cause,
  });
}
