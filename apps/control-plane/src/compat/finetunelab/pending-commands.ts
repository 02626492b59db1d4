import type { HeardWorker } from '../foreign-workers.js';

/** The contract gives its commands no shape; this one is ours (docs/compat.md). */
export interface FinetunelabCommand {
  /** `cancel`: people want the job to end. `stop`: it is to leave this worker. */
  readonly type: 'cancel' | 'stop';
  readonly job_id: string;
  /** Between asking the training to end and killing it. */
  readonly grace_seconds: number;
  /** At once, without waiting for it to save anything. */
  readonly force: boolean;
}

/** Only what its programs cannot know themselves: they alone pause a training and let it go on. */
export function toFinetunelabCommands(commands: HeardWorker['commands']): FinetunelabCommand[] {
  return commands.flatMap(({ kind, jobId, reason, isPlanned, graceSeconds }): FinetunelabCommand[] => {
    if (kind !== 'stop' && kind !== 'forceStop') return [];
    const type = reason === 'cancelled' && isPlanned !== true ? 'cancel' : 'stop';
    return [{ type, job_id: jobId, grace_seconds: graceSeconds, force: kind === 'forceStop' }];
  });
}
