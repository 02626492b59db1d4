import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobId } from '@muster/protocol';
import { anyFreePort, startEmbeddedPostgres, type EmbeddedPostgres } from '@muster/local-stack';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(300_000);

const JOBS = sql`select id, status, epoch from job where id = any($1::text[])`;
const LOG = sql`select start_offset, raw_length, bytes from log_chunk where log_id = $1 and stream = 'output' order by start_offset`;

describe('a PostgreSQL that is killed and comes back', () => {
  let folder: string;
  let options: { dataDir: string; port: number; mode: 'child' };
  let postgres: EmbeddedPostgres;
  let harness: Harness;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-killed-'));
    chmodSync(folder, 0o711);
    options = { dataDir: join(folder, 'postgres'), port: await anyFreePort(), mode: 'child' };
    postgres = await startEmbeddedPostgres(options);
    harness = await startHarness({ databaseUrl: postgres.url });
  });
  afterAll(async () => {
    await harness?.stop();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends until it is acknowledged, as an agent does. */
  async function insist<T>(work: () => Promise<T>): Promise<T> {
    return eventually('it is acknowledged', async () => ({ answer: await work() }), { timeoutMs: 90_000, everyMs: 100 }).then(({ answer }) => answer);
  }

  it('answers 503 meanwhile and loses nothing that was acknowledged', async () => {
    const agent = await harness.agent({ slots: 4 });
    const submitted: JobId[] = [];
    const ended: JobId[] = [];
    let isOver = false;

    const submitting = (async () => {
      while (!isOver) {
        // Acknowledged or not at all: a rejected submit may or may not be there.
        await harness.submit().then((id) => submitted.push(id), () => undefined);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    })();
    const running = (async () => {
      while (!isOver || agent.offers.length > 0) {
        const offer = agent.offers.shift();
        if (!offer) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          continue;
        }
        const go = await insist(() => agent.start(offer));
        if (go.kind !== 'go') continue;
        let length = 0;
        for (let line = 0; line < 5; line += 1) {
          const text = `line ${line} of ${offer.attemptId}\n`;
          const ack = await insist(() => agent.log(offer, length, text));
          if ('storedLength' in ack) length = ack.storedLength;
        }
        const ack = await insist(() => agent.end(offer));
        if (ack.kind !== 'superseded') ended.push(offer.jobId);
        await checkLog(agent, offer.attemptId);
      }
    })();

    for (let kill = 0; kill < 3; kill += 1) {
      const before = ended.length;
      await eventually('some jobs have ended', () => ended.length > before + 3, { timeoutMs: 90_000 });
      await postgres.kill('SIGKILL');
      await eventually('readiness says so', async () => (await fetch(`${harness.controlPlane.url}/health/ready`)).status === 503);
      expect((await fetch(`${harness.controlPlane.url}/health/live`)).status).toBe(200);
      postgres = await startEmbeddedPostgres(options);
      await eventually('it is ready again', async () => (await fetch(`${harness.controlPlane.url}/health/ready`)).status === 200);
    }
    isOver = true;
    await Promise.all([submitting, running]);

    expect(agent.isConnected).toBe(true);
    const rows = await insist(() => harness.database.query<{ id: JobId; status: string; epoch: number }>(JOBS, [submitted]));
    expect(rows.map((row) => row.id).sort()).toEqual([...submitted].sort());
    const statusOf = new Map(rows.map((row) => [row.id, row.status]));
    for (const id of ended.filter((one) => statusOf.has(one))) expect(statusOf.get(id)).toBe('completed');
    expect(new Set(ended).size).toBe(ended.length);
  });

  /** Five lines, each once, in order. */
  async function checkLog(agent: FakeAgent, attemptId: string): Promise<void> {
    const chunks = await insist(() => harness.database.query<{ start_offset: number; raw_length: number }>(LOG, [attemptId]));
    expect(chunks).toHaveLength(5);
    let end = 0;
    for (const chunk of chunks) {
      expect(chunk.start_offset).toBe(end);
      end += chunk.raw_length;
    }
    expect(agent.isConnected).toBe(true);
  }
});
