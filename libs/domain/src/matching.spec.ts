import { aJob, aProfile, aSpec, aWorker, NOW_MS } from '../test/factories.js';
import { AHEAD_MAX, explain } from './explain.js';
import { matches, runKindOf } from './matching.js';

const command = (needs: Parameters<typeof matches>[0]['needs']) => ({ needs, runKind: 'command' });

describe('matching', () => {
  test.each([
    [{ capability: 'cpu' }, { capability: 'hybrid' }, true],
    [{ capability: 'gpu' }, { capability: 'hybrid' }, true],
    [{ capability: 'gpu' }, { capability: 'cpu' }, false],
    [{ contentType: 'text' }, { contentTypes: ['text'] }, true],
    [{ contentType: 'image' }, { contentTypes: ['text'] }, false],
    [{ labels: { driver: '>=550' } }, { labels: { driver: '560' } }, true],
    [{ labels: { driver: '>=550' } }, { labels: {} }, false],
    [{ labels: { constructor: '!=x' } }, { labels: {} }, true],
    [{ cpus: 8 }, { cpuCores: 8 }, true],
    [{ cpus: 8.5 }, { cpuCores: 8 }, false],
    [{ memoryMb: 16_001 }, { memoryMb: 16_000 }, false],
    [{ gpus: 1 }, { gpus: [] }, false],
    [{ gpuModel: 'H100' }, { gpus: [{ index: 0, model: 'NVIDIA H100 80GB' }] }, true],
    [{ gpus: 2, gpuModel: 'H100' }, { gpus: [{ index: 0, model: 'H100' }, { index: 1, model: 'A10' }] }, false],
    [{ containment: 'cgroup' }, { containment: ['group', 'namespace'] }, false],
    [{ containment: 'group' }, { containment: ['group', 'namespace'] }, true],
  ] as const)('a job that needs %j on a worker with %j: %j', (needs, profile, expected) => {
    expect(matches(command(needs), aProfile(profile)).ok).toBe(expected);
  });

  test('names everything that speaks against a worker', () => {
    const result = matches({ needs: { capability: 'gpu', gpus: 2 }, runKind: 'function:node' }, aProfile());
    expect(result).toMatchObject({ ok: false, reasons: [{ need: 'runKind' }, { need: 'capability', detail: 'needs gpu, is cpu' }, { need: 'gpus', detail: 'needs 2 GPUs, has 0' }] });
  });

  test('tells the kinds of run apart', () => {
    expect([
      runKindOf({ command: ['a'] }), runKindOf({ shell: 'a' }), runKindOf({ function: { runtime: 'python', source: '' } }), runKindOf({ external: { kind: 'http', payload: {} } }),
    ]).toEqual(['command', 'shell', 'function:python', 'external:http']);
  });
});

describe('explain', () => {
  const free = { worker: aWorker(), profile: aProfile(), held: [] };
  const held = [{ needs: {}, gpus: [] }, { needs: {}, gpus: [] }];

  test.each([
    ['noWorkerOnline', [], 'No worker ever connected.'],
    ['noWorkerOnline', [{ ...free, worker: aWorker({ link: 'unreachable' }) }], 'None of 1 known workers is connected.'],
    ['noMatchingWorker', [{ ...free, profile: aProfile({ contentTypes: [] }) }], 'None of 1 connected workers fits; anvil: needs content type text, takes none.'],
    ['slotsFull', [{ ...free, held }], 'Workers that fit: 1 busy.'],
    ['slotsFull', [{ ...free, worker: aWorker({ isPaused: true }) }], 'Workers that fit: 1 taking no jobs now. anvil fits, but takes no jobs now.'],
    ['waiting', [free], 'A worker is free and will be offered the job.'],
  ] as const)('says %s', (reason, workers, detail) => {
    const job = aJob({ spec: aSpec({ needs: { contentType: 'text' } }) });
    expect(explain(job, workers, 0, NOW_MS)).toMatchObject({ reason, detail });
  });

  test('says of a worker whose key was revoked that this keeps jobs away, whatever else does', () => {
    const worker = aWorker({ isFenced: true, isPaused: true });
    expect(explain(aJob(), [{ ...free, worker }], 0, NOW_MS)).toMatchObject({
      reason: 'slotsFull',
      detail: 'Workers that fit: 1 taking no jobs now. anvil fits, but the key it came with was revoked.',
    });
  });

  test('says who goes first when a worker is free', () => {
    expect(explain(aJob(), [free], 2, NOW_MS)).toMatchObject({ reason: 'higherPriorityFirst', detail: '2 queued jobs are older or of higher priority and may go first.' });
    expect(explain(aJob(), [free], 1, NOW_MS).detail).toBe('1 queued job is older or of higher priority and may go first.');
    expect(explain(aJob(), [free], AHEAD_MAX, NOW_MS).detail).toMatch(/^At least 100 queued jobs are older/);
  });

  test('says how long a backoff lasts, before anything else', () => {
    const job = aJob({ notBeforeMs: NOW_MS + 4_200, reasonDetail: 'exit code 1' });
    expect(explain(job, [], 0, NOW_MS)).toMatchObject({ reason: 'backoff', detail: 'The next attempt may begin in 5 s after: exit code 1.' });
  });

  test('says which GPUs a process still holds that is not proven gone', () => {
    const profile = aProfile({ gpus: [{ index: 0, model: 'H100' }, { index: 1, model: 'H100' }] });
    const job = aJob({ spec: aSpec({ needs: { gpus: 2 } }) });
    const explanation = explain(job, [{ ...free, profile, worker: aWorker({ gpusHeld: [1] }) }], 0, NOW_MS);
    expect(explanation).toMatchObject({ reason: 'slotsFull', detail: 'Workers that fit: 1 with GPUs not given back.' });
    expect(explanation.workers[0]?.detail).toBe('fits, but GPU 1 is still held there by a process that is not proven gone');
  });

  test('says how many slots the agent holds back', () => {
    const worker = aWorker({ slotsUsable: 1 });
    const [explained] = explain(aJob(), [{ ...free, worker, held: held.slice(1) }], 0, NOW_MS).workers;
    expect(explained).toMatchObject({ kind: 'full', detail: 'fits, but 1 of 2 slots are used and 1 held back by its agent' });
  });

  test('has a sentence for every worker', () => {
    const workers = [free, { ...free, held }, { ...free, worker: aWorker({ link: 'suspect' }) }];
    expect(explain(aJob(), workers, 0, NOW_MS).workers.map((one) => [one.kind, one.detail])).toEqual([
      ['free', 'is free'], ['full', 'fits, but 2 of 2 slots are used'], ['offline', 'is suspect'],
    ]);
  });
});
