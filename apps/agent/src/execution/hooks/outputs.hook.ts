import type { ExecutionHook } from '../execution-hook.js';
import { readResult } from '../job-result.js';

/** Takes what the job left behind: its result. */
export const outputsHook: ExecutionHook = {
  name: 'outputs',
  async exited({ directory }) {
    const result = await readResult(directory.file('result'));
    if (result.kind === 'absent') return null;
    return result.kind === 'value' ? { result: result.value } : { detail: result.detail };
  },
};
