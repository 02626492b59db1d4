import { mkdir, rm, rmdir } from 'node:fs/promises';
import type { ExecutionHook } from '../execution-hook.js';

/** A fresh working folder per execution, and one each for outputs and checkpoints. */
export const workspaceHook: ExecutionHook = {
  name: 'workspace',

  async prepare({ directory }) {
    const [workspace, outputs, checkpoint] = [
      directory.file('workspace'),
      directory.file('outputs'),
      directory.file('checkpoint'),
    ];
    await Promise.all([workspace, outputs, checkpoint].map((path) => mkdir(path, { recursive: true, mode: 0o755 })));
    const env = { MUSTER_WORKSPACE: workspace, MUSTER_OUTPUT_DIR: outputs, MUSTER_CHECKPOINT_DIR: checkpoint };
    return { cwd: workspace, env };
  },

  /** Removed at once, not with the journal: results are kept, scratch space is not. */
  async cleanup({ directory }) {
    for (const name of ['workspace', 'outputs', 'checkpoint'] as const) {
      const path = directory.file(name);
      // Most are empty, and one call is cheaper than a walk.
      await rmdir(path).catch(() => rm(path, { recursive: true, force: true, maxRetries: 2 }));
    }
  },
};
