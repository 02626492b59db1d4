/** `examples/http-worker`: the program that people copy, run as they would, against a real control plane. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { Fleet } from '../src/replicas/fleet.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs } from './rest.js';

const EXAMPLE = join(import.meta.dirname, '../../../examples/http-worker/worker.py');
const FORGET = sql`update worker set is_fenced = true`;
const WORKERS = sql`select id, session, is_fenced from worker`;

const hasPython = spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasPython && process.env.MUSTER_TEST_REQUIRE === 'all') throw new Error('This machine lacks python3, which MUSTER_TEST_REQUIRE=all demands.');

const describeHere = hasPython ? describe : describe.skip;

let harness: Harness;
let program: ChildProcess | undefined;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(async () => {
  program?.kill('SIGKILL');
  await harness.stop();
});

const counting = (count: number, seconds = 0) => ({ run: { external: { kind: 'http', payload: { count, seconds } } } }) as const;
const statusOf = async (id: Parameters<Harness['job']>[0]): Promise<string> => (await harness.job(id)).status;

describeHere('the worker in Python', () => {
  it('registers, carries out jobs with their logs and results, stops one that is cancelled or has to leave, and registers again when nobody knows it', async () => {
    // What a beat brings, it brings soon.
    jest.spyOn(harness.controlPlane.app.get(Fleet), 'beatIntervalMs').mockReturnValue(300);
    const said: Buffer[] = [];
    program = spawn('python3', ['-B', EXAMPLE], { env: { ...process.env, MUSTER_URL: harness.controlPlane.url, MUSTER_KEY: harness.workerKey }, stdio: ['ignore', 'pipe', 'pipe'] });
    program.stderr?.on('data', (bytes: Buffer) => said.push(bytes));
    const completed = async (id: Parameters<Harness['job']>[0]): Promise<void> => {
      await eventually('the job is completed', async () => (await statusOf(id)) === 'completed').catch((error: Error) => {
        throw new Error(`${error.message} The program said: ${Buffer.concat(said).toString()}`);
      });
    };
    const viewer = await restAs(harness, 'viewer');

    const first = await harness.submit(counting(3));
    await completed(first);
    expect((await viewer.get(`/jobs/${first}`)).body).toMatchObject({ result: { counted: 3 }, exitCode: 0 });
    expect((await viewer.get(`/jobs/${first}/logs/download`)).text).toBe('step 1 of 3\nstep 2 of 3\nstep 3 of 3\n');

    const failing = await harness.submit({ run: { external: { kind: 'http', payload: {} } } });
    await eventually('it failed', async () => (await statusOf(failing)) === 'failed');
    expect((await harness.job(failing)).reason_detail).toBe("KeyError('count')");

    const endless = await harness.submit(counting(100_000, 0.01));
    await eventually('it prints', async () => (await viewer.get(`/jobs/${endless}/logs/download`)).text.includes('step 2 of'));
    await (await restAs(harness, 'admin')).post(`/jobs/${endless}/cancel`, {});
    await eventually('it is stopped', async () => (await statusOf(endless)) === 'cancelled');

    const leaving = await harness.submit(counting(100_000, 0.01));
    await eventually('it runs', async () => (await statusOf(leaving)) === 'running');
    const { workerId } = (await viewer.get<{ workerId: string }>(`/jobs/${leaving}`)).body;
    const operator = await restAs(harness, 'operator');
    expect((await operator.post(`/workers/${workerId}/drain`, { policy: 'requeue', deadlineSeconds: 0 })).status).toBe(200);
    await eventually('it is back in line', async () => (await statusOf(leaving)) === 'queued');
    await operator.post(`/jobs/${leaving}/cancel`, {});
    await operator.post(`/workers/${workerId}/undrain`, {});

    await harness.database.execute(FORGET);
    const after = await harness.submit(counting(1));
    await completed(after);
    expect(await harness.database.query(WORKERS)).toEqual([{ id: expect.any(String), session: 2, is_fenced: false }]);
    expect(program.exitCode).toBeNull();
  });
});
