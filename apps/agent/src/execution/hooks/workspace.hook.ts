import type { ExecutionHook } from '../execution-hook.js';

/** A fresh working folder per execution. Outputs are picked from it by pattern, so it is the output folder too. */
export const workspaceHook: ExecutionHook = {
  name: 'workspace',

  ahead: (directory) => [{ kind: 'makeFolder', path: directory.file('workspace'), mode: 0o755 }],

  prepare({ directory }) {
    const workspace = directory.file('workspace');
    return { cwd: workspace, env: { MUSTER_WORKSPACE: workspace, MUSTER_OUTPUT_DIR: workspace } };
  },

  /** Removed at once, not with the journal: results are kept, scratch space is not. */
  cleanup: ({ directory }) => [{ kind: 'remove', path: directory.file('workspace') }],
};
