import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import type { Kind } from './decode.js';
import { isFlawless } from './flawless.js';
import { AppendMetricsDto, CompleteAttemptDto } from './http-attempt.dto.js';
import { HeartbeatDto, RegisterWorkerDto } from './http-worker.dto.js';
import { CreateKeyDto } from './key.dto.js';
import { ListJobsQuery } from './list.dto.js';
import { SubmitJobsDto } from './submit.dto.js';

const ATTEMPT = 'att_01JDABCDEF0123456789ABCDEF';
const ODD: readonly unknown[] = [undefined, null, true, 0, -1, 1.5, '', 'x', '\ud800', 'x'.repeat(70_000), [], [null], ['x'], [[]], {}, { x: 1 }, { run: {} }];

const WHOLE: readonly [Kind<object>, Record<string, unknown>][] = [
  [SubmitJobsDto, {
    jobs: [
      { run: { shell: 'true' } },
      {
        name: 'train', run: { command: ['node', ''] }, env: { LR: '0.1' }, labels: { exp: '7' }, needs: { labels: { driver: '>=550' }, cpus: 0.5, gpus: 1 },
        limits: { runSeconds: 1, cpus: 1.5 }, retry: { onFailure: 2, exitCodes: [75], never: false }, disconnect: { onWorkerLost: 'wait' }, logs: { separate: true }, priority: 3,
      },
      { run: { external: { kind: 'http', payload: { epochs: 3 } } } },
    ],
  }],
  [RegisterWorkerDto, { name: 'lab', slots: 2, gpus: [{ index: 0, model: 'H100' }], executions: [{ attemptId: ATTEMPT, epoch: 1, state: 'running' }], gpusHeld: [0] }],
  [HeartbeatDto, { session: 1, sample: { cpuPercent: 12.5 }, paused: false }],
  [CompleteAttemptDto, { outcome: 'succeeded', result: { a: 1 }, usage: { wallSeconds: 1 }, logs: { output: { length: 1, sha256: 'a'.repeat(64) } } }],
  [AppendMetricsDto, { offset: 0, points: [{ step: 1, at: '2027-01-01T00:00:00Z', values: { loss: 'NaN' } }] }],
  [CreateKeyDto, { name: 'ci', role: 'submitter', expiresAt: '2027-01-01T00:00:00Z' }],
  [ListJobsQuery, { status: 'queued,running', limit: '5' }],
];

/** The value itself, each with one of its parts replaced, and each with one part more. */
function* variants(value: unknown): Generator<unknown> {
  yield* ODD;
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield { ...value, surplus: 1 };
  for (const [name, part] of Object.entries(value)) {
    for (const other of variants(part)) yield Array.isArray(value) ? value.map((item, index) => (String(index) === name ? other : item)) : { ...value, [name]: other };
  }
}

describe('whether there is nothing to complain of', () => {
  it.each(WHOLE)('is what class-validator finds too: %p', (kind, whole) => {
    const seen = { true: 0, false: 0 };
    for (const plain of [whole, ...variants(whole)]) {
      if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) continue;
      const value = plainToInstance(kind, plain);
      const found = validateSync(value, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
      expect({ plain, isFlawless: isFlawless(value) }).toEqual({ plain, isFlawless: found.length === 0 });
      seen[`${found.length === 0}`] += 1;
    }
    expect(isFlawless(plainToInstance(kind, whole))).toBe(true);
    expect(seen.false).toBeGreaterThan(10);
  });

  it('is denied to what no rule is known of', () => {
    class Unruled {
      field = 1;
    }
    expect(isFlawless(new Unruled())).toBe(false);
    expect(isFlawless(Object.create(null) as object)).toBe(false);
    expect(isFlawless({ constructor: 'x' })).toBe(false);
  });
});
