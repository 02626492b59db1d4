import { LIMITS, type RunSpec } from '@muster/protocol';
import { resolveProgram } from '../../supervisor/program-path.js';
import { complaintAbout } from '../../supervisor/run-script.js';
import { CannotStart, type ExecutionHook } from '../execution-hook.js';

/** Kinds of `run` this agent can start. */
export const RUN_KINDS = ['command', 'shell'] as const;

/** Names the program, and refuses here what would otherwise fail silently behind the supervisor. Comes last: it needs PATH. */
export function createProgramHook(shellPath: string): ExecutionHook {
  return {
    name: 'program',
    async prepare({ intent, plan }) {
      const words = toCommand(intent.spec.run, shellPath);
      const complaint = complaintAbout(words, plan.env, LIMITS);
      if (complaint) throw new CannotStart('spawnFailed', complaint);
      const [name = '', ...rest] = words;
      const found = await resolveProgram(name, plan.env.PATH ?? '', plan.cwd);
      if ('complaint' in found) throw new CannotStart('spawnFailed', found.complaint);
      return { command: [found.path, ...rest] };
    },
  };
}

function toCommand(run: RunSpec, shellPath: string): readonly string[] {
  if (run.command) return run.command;
  if (run.shell !== undefined) return [shellPath, '-c', run.shell];
  const kind = run.function ? `function:${run.function.runtime}` : `external:${run.external?.kind ?? 'unknown'}`;
  throw new CannotStart('spawnFailed', `This worker cannot run jobs of the kind "${kind}".`);
}
