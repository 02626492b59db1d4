import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@muster/testing';
import { JOB_FIXTURES, JobDeck, type ChaosJob } from '../chaos/jobs/catalogue.js';
import type { OwedJob } from '../chaos/jobs/feeder.js';
import { judgeLeases } from '../chaos/judge/leases.js';
import { judgeOutcomes } from '../chaos/judge/outcomes.js';
import { tellsWholeRun } from '../chaos/judge/reports.js';
import { Records, type AttemptRecord, type EventRecord, type JobRecord } from '../chaos/judge/records.js';
import { Timeline } from '../chaos/timeline.js';

const JOB: OwedJob = {
  id: 'job_1', fixture: 'counts', spec: {}, exit: { code: 0, signal: null }, printer: null, log: null, reports: false,
  exclusive: true, lostAfterSeconds: 1, marks: true, cancelAfterMs: null, forceCancel: false, pause: null, cancelAsked: false,
};
const DONE: JobRecord = { id: JOB.id, status: 'completed', reason: 'succeeded', exit: { code: 0, signal: null }, result: null };
const ATTEMPT: AttemptRecord = {
  id: 'att_1', jobId: JOB.id, worker: 'north', number: 1, epoch: 1, state: 'ended', outcome: 'succeeded', exit: { code: 0, signal: null },
  detail: null, logId: 'att_1', offeredAtMs: 100_000, startedAtMs: 100_100, endedAtMs: 105_000,
};
const COMPLETED: EventRecord = { type: 'job.completed', jobId: JOB.id, attemptId: 'att_1', atMs: 105_000, data: {} };
const LOST = { ...ATTEMPT, outcome: 'lost', exit: null, detail: 'silent' };
const SECOND = { ...ATTEMPT, id: 'att_2', number: 2, epoch: 2, offeredAtMs: 105_001, endedAtMs: 110_000 };

describe('the judge of a chaos run', () => {
  const owed = new Map([[JOB.id, JOB]]);
  const timeline = new Timeline();
  const outcomes = (job: Partial<JobRecord>, attempts: readonly AttemptRecord[], events = [COMPLETED], asked: Partial<OwedJob> = {}) =>
    judgeOutcomes(new Map([[JOB.id, { ...JOB, ...asked }]]), Records.of({ jobs: [{ ...DONE, ...job }], attempts, events, workers: [] }), timeline).map(
      ({ sentence }) => sentence,
    );

  beforeEach(() => {
    timeline.struck.length = 0;
    timeline.loadMax = 0;
  });

  it('says nothing of a job that went well', () => {
    expect(outcomes({}, [ATTEMPT])).toEqual([]);
  });

  it('finds a job that is gone, one nobody was told of, and one that came to no end', () => {
    expect(judgeOutcomes(owed, Records.of({ jobs: [], attempts: [], events: [], workers: [] }), timeline)[0]?.sentence).toMatch('LOST');
    expect(judgeOutcomes(new Map(), Records.of({ jobs: [DONE], attempts: [], events: [], workers: [] }), timeline)[0]?.sentence).toMatch('nobody was told');
    expect(outcomes({ status: 'running' }, [ATTEMPT]).join()).toMatch('came to no end');
  });

  it('finds a double completion, also one that only the attempts or only the events show', () => {
    expect(outcomes({}, [ATTEMPT], [COMPLETED, COMPLETED]).join()).toMatch('ended 2 times');
    expect(outcomes({}, [ATTEMPT, SECOND]).join()).toMatch('2 attempts succeeded');
  });

  it('finds a wrong exit code, a wrong signal, and a cancellation nobody asked for', () => {
    expect(outcomes({}, [{ ...ATTEMPT, exit: { code: 1, signal: null } }]).join()).toMatch('instead of');
    expect(outcomes({}, [ATTEMPT], [COMPLETED], { exit: { code: null, signal: 'SIGSEGV' } }).join()).toMatch('instead of');
    expect(outcomes({ status: 'cancelled' }, [{ ...ATTEMPT, outcome: 'cancelled' }]).join()).toMatch('nobody');
  });

  it('finds a loss without a fault, and takes one that a fault explains', () => {
    expect(outcomes({}, [LOST, SECOND]).join()).toMatch('lost without a fault');
    timeline.struck.push({ number: 1, kind: 'agentStop', victim: 'agent north', workers: ['north'], fromMs: 99_000, untilMs: 104_000, what: '' });
    expect(outcomes({}, [LOST, SECOND])).toEqual([]);
    expect(outcomes({}, [{ ...LOST, detail: 'Its supervisor died' }, SECOND]).join()).toMatch('nobody killed it');
    expect(outcomes({ status: 'failed', reason: 'poisonJob' }, [LOST]).join()).toMatch('after 1 losses');
  });

  it('finds a loss or refusal long after the last fault, and explains silence by the time of a lease', () => {
    const fault = { number: 1, kind: 'agentStop', victim: 'agent north', workers: ['north'], what: '' } as const;
    timeline.struck.push({ ...fault, fromMs: 99_000, untilMs: 101_000 });
    const late = { ...LOST, detail: 'Its supervisor died', endedAtMs: 117_000 };
    expect(outcomes({}, [late, SECOND]).join()).toMatch('lost without a fault');
    expect(outcomes({}, [{ ...late, outcome: 'refused' }, SECOND]).join()).toMatch('refused, and nothing explains it');
    const silent = { ...late, detail: 'Worker north was silent until its lease ended' };
    expect(outcomes({}, [silent, SECOND])).toEqual([]);
    expect(outcomes({}, [{ ...silent, endedAtMs: 121_000 }, SECOND]).join()).toMatch('lost without a fault');
    timeline.loadMax = 2;
    expect(outcomes({}, [{ ...silent, endedAtMs: 121_000 }, SECOND])).toEqual([]);
    expect(outcomes({}, [{ ...silent, endedAtMs: 103_000 }, SECOND]).join()).toMatch('before its lease of 4000 ms was over');
  });

  describe('of leases and processes', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'muster-judge-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const leases = (attempts: readonly AttemptRecord[], marks: string): string => {
      writeFileSync(join(folder, 'marks'), marks);
      const records = Records.of({ jobs: [DONE], attempts, events: [], workers: [] });
      return judgeLeases(owed, records, join(folder, 'marks')).map(({ sentence }) => sentence).join();
    };
    const life = (attempt: number, name: string, from: number, until: number, last = 'E'): string =>
      `S job_1 ${attempt} 1 ${name} ${from}\n${last} job_1 ${attempt} 1 ${name} ${until}\n`;

    it('says nothing of terms and processes one after the other', () => {
      expect(leases([LOST, SECOND], life(1, 'a', 1, 2, 'A') + life(2, 'b', 2.5, 4))).toBe('');
    });

    it('finds a job given away before its last term was over', () => {
      expect(leases([LOST, { ...SECOND, offeredAtMs: 104_999 }], life(2, 'b', 2.5, 4))).toMatch('before attempt 1 (north) was over');
    });

    it('finds two processes of an exclusive job alive at once, a second start, and a stranger', () => {
      expect(leases([LOST, SECOND], life(1, 'a', 1, 3, 'A') + life(2, 'b', 2.5, 4))).toMatch('lived until 3 while attempt 2 began at 2.5');
      expect(leases([ATTEMPT], life(1, 'a', 1, 2) + life(1, 'b', 3, 4))).toMatch('was started 2 times');
      expect(leases([ATTEMPT], life(9, 'a', 1, 2))).toMatch('ran and is not known');
    });

    it('finds an end by itself that no process of the job came to', () => {
      expect(leases([ATTEMPT], life(1, 'a', 1, 2, 'A'))).toMatch('1 attempts ended by themselves');
      expect(leases([ATTEMPT], '')).toMatch('of 0 processes fewer did');
    });
  });
});

describe('the metrics of a job', () => {
  const metrics = (...told: [attempt: string, step: number][]) =>
    told.map(([attemptId, step]) => ({ attemptId, step, values: { loss: 1 / (step + 1) } }));
  const whole = (attempt: string, from = 0) => [0, 1, 2, 3, 4].slice(from).map((step): [string, number] => [attempt, step]);

  it('are whole from one process, also beside those of one that was lost, however late they come', () => {
    expect(tellsWholeRun(metrics(...whole('a')))).toBe(true);
    expect(tellsWholeRun(metrics(['a', 0], ['a', 1], ...whole('b')))).toBe(true);
    expect(tellsWholeRun(metrics(['a', 0], ['b', 0], ['a', 1], ...whole('b', 1)))).toBe(true);
  });

  it('are found to lack a step, to have one twice, and to tell a wrong value', () => {
    expect(tellsWholeRun(metrics(...whole('a').slice(0, 4)))).toBe(false);
    expect(tellsWholeRun(metrics(['a', 0], ['a', 2], ['a', 3], ['a', 4]))).toBe(false);
    expect(tellsWholeRun(metrics(['a', 0], ['a', 1], ...whole('b', 2)))).toBe(false);
    expect(tellsWholeRun(metrics(['a', 0], ...whole('a')))).toBe(false);
    expect(tellsWholeRun([{ attemptId: 'a', step: 0, values: { loss: 2 } }])).toBe(false);
  });
});

describe('a deck of jobs', () => {
  it('deals one of each fixture first, all with what they are found by, and the same for the same chance', () => {
    const deal = (seed: number): readonly ChaosJob[] => {
      const deck = new JobDeck(new Random(seed), { marksFile: '/marks', marker: '4711' });
      return Array.from({ length: 150 }, () => deck.deal());
    };
    const jobs = deal(1);
    expect(jobs.slice(0, JOB_FIXTURES.length).map(({ fixture }) => fixture).sort()).toEqual([...JOB_FIXTURES].sort());
    for (const { spec } of jobs) expect(spec.env).toMatchObject({ CHAOS_RUN: '4711' });
    expect(deal(1)).toEqual(jobs);
    expect(deal(2)).not.toEqual(jobs);
  });
});
