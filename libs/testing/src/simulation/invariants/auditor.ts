/** Watches a world: what must hold is checked the moment it could break, and what happened is counted. */
import { isFinalJob, isLive, isStarted } from '@muster/domain';
import type { AttemptFacts, JobFacts, ServerCommand, ServerDecision, Slice } from '@muster/domain';
import type { Ack, AttemptEnd, AttemptId, EndAck, JobId, Refuse, Verdict } from '@muster/protocol';
import type { Directory, Machine } from '../world/machine.js';
import type { Process } from '../world/process.js';
import type { World } from '../world/world.js';
import { checkDoubt } from './doubt.js';
import { checkTransaction } from './transactions.js';
import type { Before } from './transactions.js';
import { Violation } from './violation.js';
import { Witnesses } from './witnesses.js';

/** Messages from before it was known arrive late, and each may bring one such offer. */
const DECLINED_MAX = 4;
/** How far the database's clock may be set while a lease runs. */
const CLOCK_STEP_MS = 1_000;

export class Auditor {
  private readonly finished = new Set<JobId>();
  /** Attempts about whose end the agent has been answered, whatever was answered. */
  private readonly heard = new Set<AttemptId>();
  private readonly witnesses = new Witnesses();

  /** Offers that were declined for what this process holds. */
  private readonly declined = new Map<Process, Set<AttemptId>>();

  constructor(private readonly world: World) {}

  /** After every commit: the rows as they were, and what was stored. */
  committed(before: Before, decision: ServerDecision, nowMs: number): void {
    checkTransaction(before, this.world.database.tables, decision, nowMs);
    for (const event of decision.events) this.world.count(event.type);
    for (const job of decision.jobs) this.checkEnding(before.jobs.get(job.id), job);
    for (const attempt of decision.attempts) {
      if (attempt.outcome !== null) this.checkOutcome(before.attempts.get(attempt.id), attempt);
    }
    for (const { jobId } of decision.results) {
      if (!decision.jobs.some((job) => job.id === jobId && job.status === 'completed')) throw new Violation('a result comes with its completion', jobId);
    }
    this.countReply(decision);
  }

  /** P13: whoever is not the worker's agent any more changes nothing. */
  answered(command: ServerCommand, slice: Slice, decision: ServerDecision): void {
    this.witnesses.answered(command, slice, decision);
    if (command.type === 'hello') checkDoubt(command, slice, decision);
    if (command.type === 'end') this.checkHolder(command, decision.reply);
    if (command.type === 'workerLink') this.checkSilence(command, slice, decision);
    if (!('session' in command) || command.type === 'hello') return;
    const isCurrent = slice.workers.get(command.workerId)?.session === command.session;
    if (!isCurrent && 'kind' in decision.reply && decision.reply.kind !== 'senderRefused') throw new Violation('P13 one session', `${command.workerId} ${command.type}`);
  }

  /** The end of the process that holds the job counts, by whichever of its terms it is named. */
  private checkHolder(end: Extract<ServerCommand, { type: 'end' }>, reply: ServerDecision['reply']): void {
    const { workerId, attemptId, epoch, session } = end;
    const { tables } = this.world.database;
    const named = tables.attempts.get(attemptId);
    if (named === undefined || named.workerId !== workerId || named.epoch !== epoch || reply.kind !== 'superseded') return;
    const newest = tables.attemptsOf(named.jobId).at(-1);
    if (newest?.logId !== named.logId || newest.workerId !== workerId || !isStarted(newest)) return;
    // It may have read a copy of the disk: that there is no process of an exclusive job, only who was granted it may say.
    if (this.isExclusive(named.jobId) && !this.witnesses.mayEnd(end, attemptId, session)) {
      this.world.count('absence not believed');
      return;
    }
    throw new Violation('I14 the holder is heard', attemptId);
  }

  private isExclusive(jobId: JobId): boolean {
    return this.world.database.tables.jobs.get(jobId)?.spec.disconnect.exclusive === true;
  }

  private checkSilence({ workerId }: Extract<ServerCommand, { type: 'workerLink' }>, slice: Slice, decision: ServerDecision): void {
    const worker = decision.workers.find(({ id }) => id === workerId) ?? slice.workers.get(workerId);
    const { database, settings } = this.world;
    if (worker === undefined || worker.lastBeatMs === null || database.nowMs - worker.lastBeatMs < settings.workerTimeoutMs) return;
    if (worker.link !== 'unreachable') throw new Violation('I15 silence is told', `${workerId} is ${worker.link}`);
  }

  /** The agent was told that nobody wants the attempt. */
  unwanted(verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) if (verdict.kind === 'stop') this.heard.add(verdict.ref.attemptId);
  }

  /** The agent was told that its worker was removed. */
  nothingWanted({ disk }: Machine): void {
    for (const { ref } of disk.values()) this.heard.add(ref.attemptId);
  }

  /** I12: an agent that has said what is held there is not asked for it again and again. */
  refused(machine: Machine, { attemptId, reason, detail }: Refuse): void {
    this.world.count(`refused ${reason}`);
    if (reason !== 'noSlot') return;
    const isGpu = detail?.startsWith('GPU') === true;
    if (isGpu) this.world.count('refused GPU');
    const gpus = this.world.database.tables.attempts.get(attemptId)?.gpus ?? [];
    for (const process of machine.processes()) {
      // What has a lease takes a slot that everybody counts: the one that was declined is held by something else.
      if (this.hasLease(machine, process) || (isGpu && !process.gpus.some((index) => gpus.includes(index)))) continue;
      const declined = this.declined.get(process) ?? new Set();
      this.declined.set(process, declined.add(attemptId));
      if (declined.size > DECLINED_MAX) throw new Violation('I12 what is held is not offered', `${process.executionId} is there, and ${declined.size} offers were declined for it`);
    }
  }

  private hasLease({ workerId }: Machine, { jobId, executionId }: Process): boolean {
    return this.world.database.tables.attemptsOf(jobId).some((attempt) => attempt.logId === executionId && attempt.workerId === workerId && isLive(attempt));
  }

  /** I11: the local right to run is over well before the control plane thinks so, whatever happened to the answer that gave it. */
  deadlineSet(machine: Machine, attemptId: AttemptId, deadlineMs: number): void {
    const { database } = this.world;
    const leaseUntilMs = database.tables.attempts.get(attemptId)?.leaseUntilMs;
    if (leaseUntilMs == null) return;
    const leftMs = machine.worldMs(deadlineMs) - this.world.nowMs;
    if (leftMs + CLOCK_STEP_MS >= leaseUntilMs - database.nowMs) throw new Violation('I11 fenced before it is given away', `${attemptId}: ${Math.round(leftMs)} ms of ${leaseUntilMs - database.nowMs} ms`);
  }

  /** I4, I8 and the machine's half of I5, at the moment a process begins. */
  processBegan(machine: Machine, process: Process): void {
    const { tables } = this.world.database;
    this.world.count('processes');
    this.world.trace(() => `machine ${machine.index} process of ${process.executionId} begins`);
    const here = machine.processes();
    if (here.length > machine.slotsMost) throw new Violation('I5 capacity', `machine ${machine.index} runs more than ${machine.slotsMost}`);
    const gpus = here.flatMap((one) => one.gpus);
    if (new Set(gpus).size < gpus.length) throw new Violation('I5 one GPU, one attempt', `machine ${machine.index}`);
    if (tables.attempts.get(process.executionId)?.startedMs == null) throw new Violation('I8 granted before started', process.executionId);
    if (!this.isExclusive(process.jobId)) return;
    const copies = this.world.machines.flatMap((one) => one.livingProcesses()).filter((one) => one.jobId === process.jobId);
    if (copies.length > 1) throw new Violation('I4 one process', `${process.jobId}: ${copies.map((one) => one.executionId).join(' and ')}`);
  }

  /** I9: an end says what happened. */
  endArrived(machine: Machine, end: AttemptEnd): void {
    for (const directory of machine.disk.values()) {
      if (directory.ref.attemptId !== end.attemptId || directory.end === null) continue;
      // Nothing ran: an agent that heard of the cancel said so, and the next start, which finds an intent, gives it back.
      if (directory.process === null && end.outcome === 'cancelled' && directory.end.outcome === 'refused') continue;
      if (directory.end.outcome !== end.outcome) throw new Violation('I9 true end', `${end.attemptId} reported as ${end.outcome}`);
    }
  }

  /** I10: what was acknowledged stands in the database. */
  endAnswered(end: AttemptEnd, answer: Ack<EndAck> | 'timeout'): void {
    if (answer === 'timeout' || 'error' in answer) return;
    this.heard.add(end.attemptId);
    if (answer.ok.kind !== 'accepted') return;
    const { tables } = this.world.database;
    const named = tables.attempts.get(end.attemptId);
    const isStored = named !== undefined && tables.attemptsOf(named.jobId).some((one) => one.logId === named.logId && one.outcome === end.outcome);
    if (!isStored) throw new Violation('I10 acknowledged means committed', end.attemptId);
  }

  /** P9: a directory may go only when nobody needs it any more. */
  directoryGoes(machine: Machine, directory: Directory): void {
    const { executionId } = directory.intent;
    const { process } = directory;
    if (process === null) return;
    if (process.endedMs === null) throw new Violation('process without directory', executionId);
    const stored = this.world.database.logs.get(executionId) ?? 0;
    const produced = process.producedBytes(this.world.nowMs);
    if (stored !== produced && !directory.isCopy) throw new Violation('I6 log', `${executionId} was forgotten with ${stored} of ${produced} bytes stored`);
    const terms = this.world.database.tables.attemptsOf(process.jobId).filter((attempt) => attempt.logId === executionId);
    if (!terms.some((attempt) => this.heard.has(attempt.id))) throw new Violation('P9 heard before it is forgotten', executionId);
  }

  private checkEnding(before: JobFacts | undefined, job: JobFacts): void {
    if (before === undefined || isFinalJob(before.status) || !isFinalJob(job.status)) return;
    if (this.finished.has(job.id)) throw new Violation('I7 final', `${job.id} ended twice`);
    this.finished.add(job.id);
    if (job.status === 'cancelled' && before.status === 'paused') this.world.count(before.currentAttemptId === null ? 'cancelled while held' : 'cancelled while frozen');
    if (job.reason === 'poisonJob') this.world.count('poison jobs');
    if (job.reason === 'queueTimeout') this.world.count('queue limits passed');
  }

  private checkOutcome(before: AttemptFacts | undefined, attempt: AttemptFacts): void {
    if (before?.outcome === attempt.outcome) return;
    this.world.count(`outcome ${attempt.outcome ?? ''}`);
    if (before?.outcome === 'lost') this.world.count('late end accepted');
    if (attempt.outcome === 'lost' && attempt.startedMs === null) throw new Violation('only what was granted is lost', attempt.id);
    if (attempt.outcome === 'refused') this.checkNeverRan(attempt);
    if (attempt.outcome === 'cancelled') this.checkGone(attempt);
    if (attempt.outcome !== 'succeeded') return;
    if (!this.world.succeeded.has(attempt.logId)) throw new Violation('I9 true end', `${attempt.logId} did not succeed`);
  }

  /** What is given back free of charge has no process: another copy of it would run beside that. */
  private checkNeverRan({ logId, jobId }: AttemptFacts): void {
    // Of two that have one disk the newer is believed; only an exclusive job minds.
    if (this.world.copied.has(logId) && !this.isExclusive(jobId)) return;
    if (this.world.machines.some((machine) => machine.disk.get(logId)?.process != null)) throw new Violation('I9 true end', `${logId} was taken back, and has a process`);
  }

  private checkGone({ logId, jobId }: AttemptFacts): void {
    const isAlive = this.world.machines.some((machine) => machine.livingProcesses().some((process) => process.executionId === logId));
    if (isAlive && this.isExclusive(jobId)) throw new Violation('I9 true end', `${logId} was cancelled, and runs`);
  }

  private countReply({ reply, events }: ServerDecision): void {
    const { world } = this;
    if ('verdicts' in reply) {
      for (const verdict of reply.verdicts) world.count(verdict.kind === 'keep' && verdict.command !== null ? `verdict keep, ${verdict.command.kind}` : `verdict ${verdict.kind}`);
      const isAgain = reply.verdicts.some((verdict) => verdict.kind === 'reclaimed') && events.every((event) => event.type !== 'job.reclaimed');
      if (isAgain) world.count('reclaim told again');
    } else if (reply.kind === 'superseded') world.count('stale end refused');
    else if (reply.kind === 'repeated') world.count('end repeated');
    else if (reply.kind === 'senderRefused') world.count('superseded sender');
    else if (reply.kind === 'no') world.count(`start refused, ${reply.reason}`);
    else if (reply.kind === 'illegal') world.count('illegal action refused');
  }
}
