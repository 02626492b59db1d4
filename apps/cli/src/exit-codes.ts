import type { JobView } from '@muster/protocol';

/** What a command ends with. Scripts rely on these numbers: they never change their meaning. */
export const EXIT = {
  ok: 0,
  /** A job failed, or something no other number describes. */
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  unreachable: 6,
  waitTimedOut: 7,
  cancelledOrLost: 8,
  interrupted: 130,
  brokenPipe: 141,
} as const;

/** How a final job ends the command that waited for it. */
export function exitCodeOfJob(job: Pick<JobView, 'status' | 'reason'>): number {
  if (job.status === 'completed') return EXIT.ok;
  if (job.status === 'cancelled') return EXIT.cancelledOrLost;
  return job.reason === 'workerLost' || job.reason === 'abandoned' ? EXIT.cancelledOrLost : EXIT.failed;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

/** The job's own code, as a shell would report it; where it has none, the code of its fate. */
export function propagatedExitCode(job: Pick<JobView, 'status' | 'reason' | 'exitCode' | 'signal'>): number {
  if (job.exitCode !== null) return job.exitCode;
  const number = job.signal === null ? undefined : SIGNAL_NUMBERS[job.signal];
  return number === undefined ? exitCodeOfJob(job) : 128 + number;
}
