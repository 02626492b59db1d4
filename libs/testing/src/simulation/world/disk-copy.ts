/** What a copy of a machine's disk holds: everything that was written by then, and no process. */
import type { AttemptId } from '@muster/protocol';
import type { Directory } from './machine.js';
import { Process } from './process.js';
import { report } from './report.js';

/** Of each directory that stands on the disk now. A process that lives is not on it; what it has printed is. */
export function copyOfDisk(disk: Iterable<Directory>, nowMs: number): Map<AttemptId, Directory> {
  const copies = new Map<AttemptId, Directory>();
  for (const directory of disk) if (!directory.isVolatile) copies.set(directory.intent.executionId, copyOf(directory, nowMs));
  return copies;
}

function copyOf(directory: Directory, nowMs: number): Directory {
  const { process } = directory;
  const copy: Directory = { ...directory, isStarting: false, isCopy: true };
  if (process === null || process.endedMs !== null) return copy;
  const trace = new Process(process.jobId, process.executionId, process.gpus, process.plan, nowMs - process.ranMs(nowMs));
  trace.end(nowMs);
  return { ...copy, process: trace, end: report('lost', null, trace.ranMs(nowMs)) };
}
