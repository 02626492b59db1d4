import type { ExecutionHook } from '../execution-hook.js';

/** A fresh working folder per execution. Outputs are picked from it by pattern, so it is the output folder too. */
export const workspaceHook: ExecutionHook = {
  name: 'workspace',

  prepare({ directory }) {
    const workspace = directory.file('workspace');
    const env = { MUSTER_WORKSPACE: workspace, MUSTER_OUTPUT_DIR: workspace };
    return { cwd: workspace, env, operations: [{ kind: 'makeFolder', path: workspace, mode: 0o755 }] };
  },

  /** Removed at once, not with the journal: results are kept, scratch space is not. */
  cleanup: ({ directory }) => [{ kind: 'remove', path: directory.file('workspace') }],
};
