/**
 * One race: the real runtime and the real bridge between a far end, a network and processes whose every step is chosen by
 * fast-check's scheduler. Time is moved by the run; nothing waits.
 */
import fc from 'fast-check';
import type { AttemptId, Refusal } from '@muster/protocol';
import { AgentRuntime, type AgentRuntimeOptions } from '../../src/connection/agent-runtime.js';
import { ExecutionBridge } from '../../src/connection/execution-bridge.js';
import type { ExecutionManager } from '../../src/execution/execution-types.js';
import { CAPABILITIES } from '../connection/runtime-harness.js';
import { HELLO } from './hello.js';
import { FarEnd } from './far-end.js';
import { RacingLink, type Link } from './racing-link.js';
import { RacingProcesses } from './racing-processes.js';
import { settledMarks } from './settled-marks.js';
import { Track } from './track.js';

const SLOTS = 2;
/** Turns of "all that can happen has happened, then time passes" after which a run must have come to rest. */
const TURNS_MAX = 80;

/** What somebody else does. `job` is a number without knowledge of how many there are. */
export type Happening =
  | { readonly type: 'submit'; readonly exclusive: boolean }
  | { readonly type: 'cancel' | 'forceCancel' | 'pause' | 'resume'; readonly job: number }
  | {
      readonly type:
        | 'disconnect'
        | 'endLeases'
        | 'giveAway'
        | 'timePasses'
        | 'finishAll'
        | 'failIntent'
        | 'supersede'
        | 'detach'
        | 'stopJobs'
        | 'fillDisk';
    }
  | { readonly type: 'loseAnswers'; readonly count: number };

const job = fc.nat(3);
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('submit' as const), exclusive: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('cancel' as const, 'forceCancel' as const), job }) },
  { weight: 10, arbitrary: fc.record({ type: fc.constantFrom('pause' as const, 'resume' as const), job: fc.nat(1) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom('disconnect' as const, 'timePasses' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('finishAll' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom('endLeases' as const, 'endLeases' as const, 'giveAway' as const, 'failIntent' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('supersede' as const, 'detach' as const, 'stopJobs' as const, 'fillDisk' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('loseAnswers' as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
);

/** Where a mutant puts itself; each is given the real part and answers with what stands in its place. */
export interface Saboteur {
  readonly link?: (link: Link) => Link;
  readonly processes?: (processes: ExecutionManager) => ExecutionManager;
  readonly bridge?: (bridge: AgentRuntimeOptions['bridge']) => AgentRuntimeOptions['bridge'];
  readonly runtime?: (options: AgentRuntimeOptions, track: Track) => AgentRuntime;
}

export class Race {
  readonly track: Track;
  private readonly far: FarEnd;
  private readonly link: RacingLink;
  private readonly processes: RacingProcesses;
  private readonly bridge: ExecutionBridge;
  private readonly runtime: AgentRuntime;
  private readonly drained = new Set<AttemptId>();
  private isExited = false;
  private onDisk: (objection: Refusal | null) => void = () => undefined;

  constructor(
    private readonly scheduler: fc.Scheduler,
    saboteur: Saboteur = {},
  ) {
    const track = new Track(scheduler);
    this.track = track;
    settledMarks.write = () => track.step('a mark is written');
    this.far = new FarEnd(SLOTS, (message) => void this.link.push(message));
    this.link = new RacingLink(track, (asked) => this.far.handle(asked as Parameters<FarEnd['handle']>[0]));
    this.processes = new RacingProcesses({
      track,
      slots: SLOTS,
      monotonicMs,
      isGranted: (attemptId) => this.far.granted.has(attemptId),
      isDrained: (attemptId) => this.drained.has(attemptId),
    });
    const executions = saboteur.processes?.(this.processes) ?? this.processes;
    this.bridge = new ExecutionBridge({ executions, ...this.shippers(), clock, logger: silent });
    const disk = {
      start: (onChange: (objection: Refusal | null) => void) => Promise.resolve(void (this.onDisk = onChange)),
      stop: () => undefined,
      isFull: false,
    };
    const options: AgentRuntimeOptions = {
      link: saboteur.link?.(this.link) ?? this.link,
      uplink: { greeted: () => undefined, setUp: () => undefined },
      bridge: saboteur.bridge?.(this.bridge) ?? this.bridge,
      greeter: {
        identity: {
          workerId: null,
          instanceId: HELLO.instanceId,
          keepWorkerId: () => track.step('the identity is written'),
        },
        inventory: { sample: () => null },
        facts: { slots: SLOTS },
        hello: async ({ session, executions: listed }) => {
          await track.step('the inventory is read');
          return { ...HELLO, slots: SLOTS, session, executions: listed };
        },
      },
      disk,
      executions: {
        capabilities: CAPABILITIES,
        slots: () => this.processes.slots(),
        setSlots: (slots) => this.processes.setSlots(slots),
      },
      clock,
      logger: silent,
    };
    this.runtime = saboteur.runtime?.(options, track) ?? new AgentRuntime(options);
    void this.runtime.exit.then(() => this.leave());
  }

  /** Runs to its rest; what was promised and not kept stands in `track.violations`. */
  async run(script: readonly Happening[]): Promise<void> {
    await this.scheduler.waitFor(this.runtime.start());
    this.scheduler.scheduleSequence(
      script.map((one) => ({ label: JSON.stringify(one), builder: () => Promise.resolve(this.happen(one)) })),
    );
    await this.scheduler.waitIdle();
    await this.heal();
    for (let turn = 0; turn < TURNS_MAX && !this.isAtRest; turn += 1) {
      await this.scheduler.waitIdle();
      jest.advanceTimersToNextTimer();
    }
    await this.scheduler.waitIdle();
    if (!this.isAtRest) this.track.broken(`it does not come to rest: ${this.remains()}`);
    await this.scheduler.waitFor(this.runtime.stop());
    await this.scheduler.waitIdle();
  }

  /** Nothing fails any more, what is frozen goes on, and then every process ends. */
  private async heal(): Promise<void> {
    this.link.answersToLose = 0;
    this.processes.intentsToFail = 0;
    for (const index of this.far.jobIds.keys()) this.far.order('resume', index);
    for (let turn = 0; turn < 5; turn += 1) {
      await this.scheduler.waitIdle();
      jest.advanceTimersToNextTimer();
    }
    this.processes.finishAll();
  }

  private get isAtRest(): boolean {
    if (this.isExited) return true;
    const { state } = this.runtime;
    const isHeard = [...(state?.refusals.values() ?? [])].every(({ acknowledgedMs }) => acknowledgedMs !== null);
    return (
      state !== null &&
      state.link === 'synced' &&
      state.executions.size === 0 &&
      isHeard &&
      this.processes.list().length === 0
    );
  }

  private remains(): string {
    const executions = [...(this.runtime.state?.executions.values() ?? [])].map(
      ({ executionId, phase }) => `${executionId} ${phase}`,
    );
    return JSON.stringify({
      link: this.runtime.state?.link,
      executions,
      directories: this.processes.list().map(({ ref, phase }) => `${ref.attemptId} ${phase}`),
    });
  }

  private happen(one: Happening): void {
    switch (one.type) {
      case 'submit':
        this.far.submit(one.exclusive);
        return this.far.dispatch();
      case 'cancel':
      case 'pause':
      case 'resume':
        return this.far.order(one.type, one.job);
      case 'forceCancel':
        return this.far.order('cancel', one.job, true);
      case 'disconnect':
        return this.link.lose('the network broke');
      case 'endLeases':
        return this.far.endLeases();
      case 'giveAway':
        return this.far.giveAway();
      case 'timePasses':
        return void jest.advanceTimersToNextTimer();
      case 'finishAll':
        return this.processes.finishAll();
      case 'failIntent':
        return void (this.processes.intentsToFail += 1);
      case 'loseAnswers':
        return void (this.link.answersToLose += one.count);
      case 'supersede':
        return void this.link.push({ event: 'worker:closing', body: { reason: 'superseded', detail: '' } });
      case 'detach':
      case 'stopJobs':
        return this.runtime.feed({ type: 'stopAsked', keepJobs: one.type === 'detach' });
      case 'fillDisk':
        return this.onDisk('diskFloor');
    }
  }

  private async leave(): Promise<void> {
    await this.runtime.stop();
    await this.bridge.whenIdle();
    this.isExited = true;
    this.track.over();
  }

  /** Shippers that carry a log when the scheduler lets them. */
  private shippers(): Pick<ConstructorParameters<typeof ExecutionBridge>[0], 'logs' | 'metrics' | 'progress'> {
    const { track, drained } = this;
    const nothing = (): void => undefined;
    return {
      logs: {
        follow: nothing,
        rebind: nothing,
        finish: async (key) => {
          await track.step(`log of ${key} is read`);
          return {};
        },
        whenDrained: async (key) => {
          await track.step(`log of ${key} is stored`);
          drained.add(key as AttemptId);
          return 'drained';
        },
        forget: (key) => track.step(`log of ${key} is let go`),
      },
      metrics: {
        follow: nothing,
        rebind: nothing,
        finish: () => track.step('metrics are stored'),
        forget: () => Promise.resolve(),
      },
      progress: { follow: nothing, rebind: nothing, finish: () => Promise.resolve() },
    };
  }
}

const monotonicMs = (): number => Date.now();
const clock = {
  nowMs: () => Date.now(),
  monotonicMs,
  sleep: () => Promise.reject(new Error('Nobody sleeps in a race.')),
};
const silent = { debug() {}, info() {}, warn() {}, error() {} };
