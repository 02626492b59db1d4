import type { ExecutionHook } from '../execution-hook.js';

/** Output goes to files, never through the agent: merged by the supervisor, or apart when the job asks for it. */
export const logsHook: ExecutionHook = {
  name: 'logs',
  prepare({ intent, directory }) {
    if (!intent.spec.logs.separate) return null;
    return { streams: { stdout: directory.file('stdout'), stderr: directory.file('stderr') } };
  },
};
