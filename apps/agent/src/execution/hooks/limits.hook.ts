import type { ExecutionHook } from '../execution-hook.js';

/**
 * Asks the kernel to take the job before anything else of the agent's when memory runs out. The limits that are enforced
 * by the kernel belong to containment, those that are sampled to the execution.
 */
export const limitsHook: ExecutionHook = {
  name: 'limits',
  prepare: () => ({ prologue: ['echo 500 2>/dev/null >/proc/self/oom_score_adj'] }),
};
