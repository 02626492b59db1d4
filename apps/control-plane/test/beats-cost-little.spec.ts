import { toJobSpec, type AttemptFacts, type JobFacts, type WorkerFacts } from '@muster/domain';
import type { AttemptId, JobId, Verdict, WorkerId } from '@muster/protocol';
import { eventually } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { EngineService } from '../src/engine/engine.service.js';
import { LaneKeeper } from '../src/jobs/lane-keeper.js';
import { insertKey } from '../src/keys/keys.service.js';
import { SampleIngest } from '../src/workers/sample-ingest.js';
import { PATIENT_LEASE_MS, startHarness, type Harness } from './control-plane-harness.js';
import { watchStatements } from './sent-statements.js';
import { aProfile, putFacts, readFacts, sliceOf } from './sql/stored-facts.js';

const WORKERS = 200;
const NOW = sql`select floor(extract(epoch from clock_timestamp()) * 1000)::double precision as now_ms`;
const WORKER_HELD = sql`select id from worker where id = $1 for update`;
const WAITING = sql`
  select 1 as found
  from pg_stat_activity
  where datname = current_database()
    and application_name = 'muster renewals'
    and wait_event_type = 'Lock'
`;

let harness: Harness;
let engine: EngineService;
let samples: SampleIngest;
beforeAll(async () => {
  harness = await startHarness();
  engine = harness.controlPlane.app.get(EngineService);
  samples = harness.controlPlane.app.get(SampleIngest);
  await putFleet();
});
afterAll(() => harness?.stop());
afterEach(() => jest.restoreAllMocks());

const idOf = (index: number): WorkerId => `wkr_${String(index).padStart(3, '0')}` as WorkerId;
const attemptOf = (index: number): AttemptId => `att_${String(index).padStart(3, '0')}` as AttemptId;

/** Connected workers that each hold a running attempt, heard a moment ago. */
async function putFleet(): Promise<void> {
  const spec = toJobSpec({ run: { command: ['/bin/true'] } }, 60_000);
  if (!spec.ok) throw new Error(JSON.stringify(spec.errors));
  const nowMs = (await harness.database.query<{ now_ms: number }>(NOW))[0]?.now_ms ?? 0;
  const all = Array.from({ length: WORKERS }, (_, index) => index);
  const workers = all.map((index): WorkerFacts => ({
    id: idOf(index), name: idOf(index), owner: 'team', session: 1, instanceId: '0000000001-a', slots: 1, slotsUsable: 1, gpusHeld: [], slotsOrdered: null, slotsSaid: null, isPaused: false, maintenance: null,
    link: 'connected', lastBeatMs: nowMs, isFenced: false, isRemoved: false,
  }));
  const attempts = all.map((index): AttemptFacts => ({
    id: attemptOf(index), jobId: `job_${index}` as JobId, workerId: idOf(index), number: 1, epoch: 1, state: 'running', outcome: null, exit: null, detail: null,
    gpus: [], leaseUntilMs: nowMs + 60_000, offeredMs: nowMs, startedMs: nowMs, endedMs: null, containment: null, usage: null, leftovers: 0,
    logId: attemptOf(index), proofs: {}, grantedSession: 1,
  }));
  const jobs = attempts.map((attempt): JobFacts => ({
    id: attempt.jobId, owner: 'ada', spec: spec.spec, status: 'running', desired: 'run', force: false, reason: 'running', reasonDetail: null, priority: 0,
    epoch: 1, attemptCount: 1, currentAttemptId: attempt.id, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0, notBeforeMs: null,
    queueUntilMs: null, createdMs: nowMs, startedMs: nowMs, finishedMs: null, exit: null,
  }));
  const key = await harness.database.transaction((connection) => insertKey(connection, { name: 'fleet', role: 'worker', owner: 'team' }, 'test'));
  const putter = { keyId: key.id, lanes: new LaneKeeper(), profileOf: aProfile };
  await harness.database.transaction((connection) => putFacts(connection, sliceOf(jobs, attempts, workers), putter));
}

/** Every worker beats at once, with its attempt, and its sample is taken when that is answered. */
function beats(): Promise<readonly Verdict[]>[] {
  return Array.from({ length: WORKERS }, async (_, index) => {
    const workerId = idOf(index);
    const executions = [{ attemptId: attemptOf(index), epoch: 1, state: 'running' }] as const;
    const reply = await engine.execute({ type: 'beat', workerId, session: 1, executions, isPaused: false, slotsFree: 0, gpusHeld: [] });
    if (reply.kind === 'senderRefused') throw new Error(`Beat ${index} was refused: ${reply.reason}`);
    await samples.sample(workerId, { cpuPercent: index, memoryUsedMb: 1, diskFreeMb: 1 });
    return reply.verdicts;
  });
}

const endsOfLeases = async (): Promise<number[]> => [...(await readFacts(harness.database)).attempts.values()].map(({ leaseUntilMs }) => leaseUntilMs ?? 0);

describe('the beats of a fleet that come in one moment', () => {
  it('cost one statement, which renews the lease of every attempt they name, and their samples one transaction', async () => {
    const sent = watchStatements();
    const before = await endsOfLeases();
    const answers = await Promise.all(beats());
    expect(sent('renewals').map((text) => text.split('\n')[0])).toEqual(['with clock as materialized (']);
    for (const [index, verdicts] of answers.entries()) {
      expect(verdicts).toEqual([{ kind: 'keep', ref: { attemptId: attemptOf(index), epoch: 1 }, leaseMs: PATIENT_LEASE_MS, command: null }]);
    }
    const after = await endsOfLeases();
    expect(after.filter((end, index) => end > (before[index] ?? Infinity))).toHaveLength(WORKERS);
    expect(sent('samples').filter((text) => text === 'begin')).toHaveLength(1);
  });

  it('are acknowledged after their commit, and not before', async () => {
    let answered = 0;
    let answers: Promise<unknown> = Promise.resolve();
    const before = await endsOfLeases();
    await harness.database.transaction(async (connection) => {
      await connection.query(WORKER_HELD, [idOf(WORKERS - 1)]);
      answers = Promise.all(beats().map((beat) => beat.then(() => (answered += 1))));
      await eventually('the statement waits for the last worker', async () => {
        // A transaction in which nothing is said is ended by the server after a while.
        await connection.query(WORKER_HELD, [idOf(WORKERS - 1)]);
        return (await harness.database.query(WAITING)).length > 0;
      });
      expect(answered).toBe(0);
      expect(await endsOfLeases()).toEqual(before);
    });
    await answers;
    expect(answered).toBe(WORKERS);
  });
});
