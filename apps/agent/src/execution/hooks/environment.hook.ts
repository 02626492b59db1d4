import { basename } from 'node:path';
import { COOKIE_NAME } from '../../supervisor/process-tree.js';
import type { ExecutionHook, PrepareFacts } from '../execution-hook.js';

/** Variables of the agent's own environment that a job sees; nothing else of it gets through, least of all its key. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR'] as const;
const PATH_DEFAULT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function createEnvironmentHook(agent: Readonly<Record<string, string | undefined>>): ExecutionHook {
  const inherited: Record<string, string> = { PATH: PATH_DEFAULT };
  for (const name of INHERITED) if (agent[name]) inherited[name] = agent[name];
  return {
    name: 'environment',
    prepare: (facts) => ({
      env: { ...inherited, ...facts.intent.spec.env, ...facts.plan.env, ...ownVariables(facts), ...facts.grantedEnv },
    }),
  };
}

/** What Muster tells the job; wins over what the job was submitted with. */
function ownVariables({ intent, directory }: PrepareFacts): Record<string, string> {
  const own: Record<string, string> = {
    [COOKIE_NAME]: basename(directory.path),
    MUSTER_JOB_ID: intent.jobId,
    MUSTER_ATTEMPT_ID: intent.ref.attemptId,
    MUSTER_ATTEMPT: String(intent.number),
    MUSTER_EPOCH: String(intent.ref.epoch),
    MUSTER_METRICS: directory.file('metrics'),
    MUSTER_PROGRESS: directory.file('progress'),
    MUSTER_RESULT: directory.file('result'),
  };
  if (intent.gpus.length > 0) own.CUDA_VISIBLE_DEVICES = intent.gpus.join(',');
  return own;
}
