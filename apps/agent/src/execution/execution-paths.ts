import type { JobSpec } from '@muster/protocol';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { ExecutionPaths } from './execution-types.js';

/** Where the shippers read what a job of this kind writes. */
export function pathsOf(directory: AttemptDirectory, spec: JobSpec): ExecutionPaths {
  const logs = spec.logs.separate
    ? { stdout: directory.file('stdout'), stderr: directory.file('stderr') }
    : { output: directory.file('output') };
  return { directory: directory.path, logs, metrics: directory.file('metrics'), progress: directory.file('progress') };
}
