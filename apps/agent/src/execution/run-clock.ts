import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { readUptimeSeconds, type ProcessIdentity } from '../supervisor/process-identity.js';
import { PauseClock } from './pause-clock.js';

/** Who the job's process is, since when it runs and how long it stood still; also for one that an earlier agent started. */
export class RunClock {
  readonly pauses: PauseClock;
  private identity: ProcessIdentity | null = null;
  private isBegunHere = false;
  private knownStartSeconds: number | null = null;

  constructor(private readonly directory: AttemptDirectory) {
    this.pauses = new PauseClock(directory);
  }

  /** This agent is about to hand it to a supervisor. */
  begin(): void {
    this.isBegunHere = true;
    this.knownStartSeconds = readUptimeSeconds();
  }

  get hasBegunHere(): boolean {
    return this.isBegunHere;
  }

  /** Null until the job's process has noted who it is. */
  leader(): ProcessIdentity | null {
    this.identity ??= this.directory.readIdent().job;
    return this.identity;
  }

  /** Seconds on the boot clock; null when nothing ran. */
  startedAtSeconds(): number | null {
    this.knownStartSeconds ??= this.directory.readIdent().startedAtSeconds;
    return this.knownStartSeconds;
  }

  /** Without the time it stood still. */
  ranMs(): number {
    const now = readUptimeSeconds();
    return Math.max(0, (now - (this.startedAtSeconds() ?? now)) * 1_000 - this.pauses.frozenMs(now));
  }
}
