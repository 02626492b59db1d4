/** The REST half of a replica: the words of a socket in another coat, and jobs for those who ask and wait. */
import { nextInstanceId } from '@muster/domain';
import type { HelloCommand, Notice, ServerCommand, ServerReplies } from '@muster/domain';
import type { AttemptEnd, AttemptRef, ExecutionReport, LogAck, Offer, WorkerId } from '@muster/protocol';
import type { Replica } from './replica.js';
import type { World } from './world.js';

/** What a program is answered: `gone` is 404, by which it registers again; `superseded` 409; `away` 503. */
export type HttpAnswer<T> = { readonly ok: T } | { readonly refused: 'gone' | 'superseded' | 'away' };
type Answer<T> = (answer: HttpAnswer<T>) => void;
export interface HttpSender { readonly workerId: WorkerId; readonly session: number }
type Registration = Pick<HelloCommand, 'workerId' | 'slots' | 'executions'>;
type Registered = Extract<ServerReplies['hello'], { kind: 'synced' }>;

interface Waiting extends HttpSender {
  readonly answer: (offer: Offer | null) => void;
}

const GREETINGS_MAX = 40;

export class HttpDesk {
  private waiting: Waiting[] = [];

  constructor(
    private readonly world: World,
    private readonly replica: Replica,
  ) {}

  /** How many jobs each worker takes that asks here; in an order that every process can name. */
  asked(): Map<WorkerId, number> {
    const counts = new Map<WorkerId, number>();
    for (const { workerId } of this.waiting) counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
    return counts;
  }

  /** Whoever registers is the worker's newest program: its instance is named here, one later than the newest known. */
  register(registration: Registration, answer: Answer<Registered>, greetings = 1): void {
    const newest = this.world.database.tables.workers.get(registration.workerId)?.instanceId ?? null;
    const instanceId = nextInstanceId(newest, `r${this.replica.index}-${greetings}-${this.world.random.whole(0, 1e9)}`);
    this.replica.step(this.world.random.between(0, 10), () => {
      const command: HelloCommand = { type: 'hello', ...registration, instanceId, session: 0, gpusHeld: [] };
      this.decide(command, (reply) => {
        if ('refused' in reply && reply.refused === 'superseded' && greetings < GREETINGS_MAX) this.register(registration, answer, greetings + 1);
        else answer(reply as HttpAnswer<Registered>);
      });
    });
  }

  beat(sender: HttpSender, executions: readonly ExecutionReport[], slotsFree: number, answer: Answer<Extract<ServerReplies['beat'], { kind: 'beat' }>>): void {
    this.decide({ type: 'beat', ...sender, executions, slotsFree, isPaused: false, gpusHeld: [] }, answer as Answer<unknown>);
  }

  start(sender: HttpSender, ref: AttemptRef, answer: Answer<Exclude<ServerReplies['start'], { kind: 'senderRefused' }>>): void {
    this.decide({ type: 'start', ...sender, ...ref }, answer as Answer<unknown>);
  }

  complete(sender: HttpSender, end: AttemptEnd, answer: Answer<Exclude<ServerReplies['end'], { kind: 'senderRefused' }>>): void {
    this.decide({ type: 'end', ...sender, ...end }, answer as Answer<unknown>);
  }

  log(sender: HttpSender, ref: AttemptRef, chunk: { readonly offset: number; readonly rawLength: number }, answer: Answer<LogAck>): void {
    const ack = this.world.database.append(sender.workerId, ref, chunk);
    this.replica.step(0, () => answer(ack === undefined ? { refused: 'away' } : { ok: ack }));
  }

  /** Asking renews what it lists, and so does waiting. */
  claim(sender: HttpSender, executions: readonly ExecutionReport[], waitMs: number, answer: Answer<Offer | null>): void {
    const lives = (): ServerCommand => ({ type: 'beat', ...sender, executions, isPaused: false, slotsFree: 0, gpusHeld: [], isPartial: true });
    this.decide(lives(), (heard) => {
      if ('refused' in heard) return answer(heard);
      if (hasToStop(heard.ok, executions)) return this.world.after(Math.min(waitMs, this.world.settings.beatIntervalMs), () => answer({ ok: null }));
      const claim: Waiting = { ...sender, answer: (offer) => this.replica.step(0, () => answer({ ok: offer })) };
      this.waiting.push(claim);
      this.replica.take({ kind: 'wakeDispatch' });
      const untilMs = this.world.nowMs + waitMs;
      const watch = (): void => {
        this.world.after(Math.min(this.world.settings.beatIntervalMs, Math.max(0, untilMs - this.world.nowMs) + 1), () => {
          if (!this.waiting.includes(claim)) return;
          if (this.world.nowMs >= untilMs) return this.end(claim);
          this.replica.step(0, () => this.decide(lives(), (again) => {
            const isOver = 'refused' in again ? again.refused !== 'away' : hasToStop(again.ok, executions);
            if (isOver) this.end(claim);
            else watch();
          }));
        });
      };
      watch();
    });
  }

  /** What was granted answers who has waited longest; where nobody waits any more, it goes back at once. */
  handOver(notices: readonly Notice[]): void {
    for (const notice of notices) {
      if (notice.kind !== 'offer') continue;
      const { attempts, jobs } = this.world.database.tables;
      const attempt = attempts.get(notice.attemptId);
      const job = attempt && jobs.get(attempt.jobId);
      if (attempt === undefined || job === undefined || !this.world.isHttp(notice.workerId)) continue;
      const claim = this.waiting.find(({ workerId, session }) => workerId === notice.workerId && session === notice.session);
      const { id: attemptId, epoch, number, gpus } = attempt;
      const { workerId, session } = notice;
      if (claim === undefined) {
        this.world.count('claims given back');
        this.replica.decide({ type: 'refuse', workerId, session, attemptId, epoch, reason: 'noAnswer' });
        continue;
      }
      this.waiting = this.waiting.filter((other) => other !== claim);
      this.world.count('claims answered');
      claim.answer({ attemptId, epoch, jobId: job.id, number, spec: job.spec, gpus, offerTtlMs: this.world.settings.offerTtlMs });
    }
  }

  /** Requests end with the replica they wait at. */
  crash(): void {
    this.waiting = [];
  }

  private end(claim: Waiting): void {
    if (!this.waiting.includes(claim)) return;
    this.waiting = this.waiting.filter((other) => other !== claim);
    claim.answer(null);
  }

  private decide(command: ServerCommand, answer: Answer<unknown>): void {
    const decision = this.world.database.transact(command);
    this.world.trace(() => `replica ${this.replica.index} http ${JSON.stringify(command)} -> ${JSON.stringify(decision?.reply ?? 'away')}`);
    this.replica.step(0, () => {
      const reply = decision?.reply;
      if (decision === undefined || reply === undefined) answer({ refused: 'away' });
      else if (reply.kind === 'senderRefused') answer({ refused: reply.reason === 'superseded' || reply.reason === 'removed' ? 'superseded' : 'gone' });
      else answer({ ok: reply });
      this.replica.step(0, () => this.replica.announce(decision?.notices ?? []));
    });
  }
}

/** Something runs there that has no lease: its slot and GPUs are counted by nobody. */
function hasToStop(reply: unknown, executions: readonly ExecutionReport[]): boolean {
  const { verdicts } = reply as Extract<ServerReplies['beat'], { kind: 'beat' }>;
  return verdicts.some(({ kind }, index) => (kind === 'stop' || kind === 'unleased') && executions[index]?.state !== 'exited');
}
