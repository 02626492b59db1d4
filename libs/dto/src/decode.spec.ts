import 'reflect-metadata';
import { LIMITS } from '@muster/protocol';
import { decode, toQueryName } from './decode.js';
import type { Kind } from './decode.js';
import { CreateKeyDto } from './key.dto.js';
import { ListJobsQuery } from './list.dto.js';
import { SubmitJobDto } from './job-spec.dto.js';
import { SubmitJobsDto } from './submit.dto.js';

/** `pointer: sentence` of every complaint. */
function complaints<T extends object>(kind: Kind<T>, plain: unknown): string[] {
  const decoded = decode(kind, plain);
  return 'errors' in decoded ? decoded.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`) : [];
}

const job = (fields: object): object => ({ run: { command: ['true'] }, ...fields });

describe('a job spec', () => {
  it('passes with every supported part', () => {
    const whole = {
      name: 'train',
      run: { command: ['node', 'train.mjs', ''] },
      env: { LR: '0.1', EMPTY: '' },
      labels: { exp: '7' },
      needs: { capability: 'gpu', contentType: 'image', labels: { driver: '>=550' }, cpus: 0.5, memoryMb: 8000, gpus: 1, gpuModel: 'H100', containment: 'namespace' },
      limits: { runSeconds: 1, queueSeconds: 1, silenceSeconds: 1, memoryMb: 1, cpus: 1.5, logBytes: 65_536 },
      priority: -100,
      graceSeconds: 0,
      stopSignal: 'SIGINT',
      retry: { onFailure: 2, onWorkerLost: 3, exitCodes: [75], backoffSeconds: 0.5, never: false },
      disconnect: { lostAfterSeconds: 0, onWorkerLost: 'wait', exclusive: false },
      logs: { separate: true },
    };
    expect(decode(SubmitJobDto, whole)).toEqual({ value: whole });
  });

  it.each([
    [{}, '/run: Expected an object, got nothing.'],
    [{ run: 'echo hi' }, '/run: Expected an object, got "echo hi".'],
    [{ run: {} }, '/run: Expected exactly one of `command`, `shell` and `external`, got an object.'],
    [{ run: { command: ['a'], shell: 'b' } }, '/run: Expected exactly one of `command`, `shell` and `external`, got an object.'],
    [{ run: { command: [] } }, '/run/command: Expected a list of texts'],
    [{ run: { command: [''] } }, '/run/command: Expected a list of texts'],
    [{ run: { command: 'echo hi' } }, '/run/command: Expected a list of texts'],
    [{ run: { command: ['a', 1] } }, '/run/command: Expected a list of texts'],
    [{ run: { shell: '' } }, '/run/shell: Expected text of 1 to 131071 bytes, got an empty text.'],
    [{ run: { function: {} } }, '/run/function: `run.function` is not supported by this version of Muster. Leave it out.'],
    [{ run: { external: { payload: {} } } }, '/run/external/kind: Expected one of http, finetunelab, goliat, crowdcompute, got nothing.'],
    [{ run: { external: { kind: 'slurm', payload: {} } } }, '/run/external/kind: Expected one of http'],
    [{ run: { external: { kind: 'http', payload: 'x' } } }, '/run/external/payload: Expected an object of at most 524288 bytes of JSON'],
    [{ run: { external: { kind: 'http', payload: { text: 'ä'.repeat(262_144) } } } }, '/run/external/payload: Expected an object of at most 524288 bytes of JSON'],
    [{ run: { external: { kind: 'http', payload: {} }, shell: 'b' } }, '/run: Expected exactly one of'],
    [job({ array: { count: 3 } }), '/array: `array` is not supported'],
    [job({ after: [] }), '/after: `after` is not supported'],
    [job({ inputs: [] }), '/inputs: `inputs` is not supported'],
    [job({ outputs: [] }), '/outputs: `outputs` is not supported'],
    [job({ secrets: [] }), '/secrets: `secrets` is not supported'],
    [job({ sandbox: {} }), '/sandbox: `sandbox` is not supported'],
    [job({ pause: 'stop' }), '/pause: Expected one of freeze, checkpoint, got "stop".'],
    [job({ nmae: 'x' }), '/nmae: Unknown field "nmae". Did you mean `name`?'],
    [job({ epoch: 7 }), '/epoch: Unknown field "epoch". Known here: disconnect, env, graceSeconds, labels, limits, logs, name'],
    [job({ name: null }), '/name: Expected text of 1 to 200 bytes, got null.'],
    [job({ name: 'ä'.repeat(101) }), '/name: Expected text of 1 to 200 bytes, got text of 202 bytes.'],
    [job({ priority: 101 }), '/priority: Expected a whole number from -100 to 100, got 101.'],
    [job({ priority: '5' }), '/priority: Expected a whole number from -100 to 100, got "5".'],
    [job({ priority: 1e308 }), '/priority: Expected a whole number from -100 to 100, got 1e+308.'],
    [job({ env: [] }), '/env: Expected an object of names and texts, got a list of 0.'],
    [job({ env: { 'A-B': 'x' } }), '/env: Expected names that are letters, digits and `_`'],
    [job({ env: { MUSTER_URL: 'x' } }), '/env: Expected names that are letters, digits and `_`'],
    [job({ env: { A: 1 } }), '/env: Expected a text as the value of "A", got number.'],
    [job({ labels: { '': 'x' } }), '/labels: Expected names that are 1 to 63 letters'],
    [job({ needs: { capability: 'tpu' } }), '/needs/capability: Expected one of cpu, gpu, hybrid, got "tpu".'],
    [job({ needs: { cpuss: 1 } }), '/needs/cpuss: Unknown field "cpuss". Did you mean `cpus`?'],
    [job({ limits: { logBytes: 1 } }), '/limits/logBytes: Expected a whole number from 65536'],
    [job({ stopSignal: 'SIGKILL' }), '/stopSignal: Expected one of SIGTERM'],
    [job({ retry: { exitCodes: [256] } }), '/retry/exitCodes: Expected a list of at most 256 whole numbers'],
    [job({ disconnect: { onWorkerLost: 'pray' } }), '/disconnect/onWorkerLost: Expected one of requeue, fail, wait, got "pray".'],
    [job({ logs: { separate: 'yes' } }), '/logs/separate: Expected true or false, got "yes".'],
    [null, ': Expected an object, got null.'],
    [[], ': Expected an object, got a list of 0.'],
  ])('refuses %j and says what was expected', (plain, sentence) => {
    const found = complaints(SubmitJobDto, plain);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(sentence) || found[0]).toBe(true);
  });

  it('never quotes the value of a variable', () => {
    expect(complaints(SubmitJobDto, job({ env: { 'BAD NAME': 'hunter2', OTHER: 'hunter2' } })).join()).not.toContain('hunter2');
  });

  it('takes arguments of 64 KB, and of one byte less than the kernel refuses', () => {
    expect(complaints(SubmitJobDto, { run: { command: ['echo', 'x'.repeat(65_536)] } })).toEqual([]);
    expect(complaints(SubmitJobDto, { run: { command: ['echo', 'x'.repeat(LIMITS.argumentBytesMax)] } })).toEqual([]);
    expect(complaints(SubmitJobDto, { run: { command: ['echo', 'x'.repeat(LIMITS.argumentBytesMax + 1)] } })).toHaveLength(1);
  });

  it('refuses arguments and variables that no kernel takes together', () => {
    const command = Array.from({ length: 8 }, () => 'x'.repeat(120_000));
    expect(complaints(SubmitJobDto, { run: { command } })).toEqual([
      '/run: Expected arguments and variables of at most 921600 bytes together, got 960008.',
    ]);
  });
});

describe('a batch', () => {
  it('names the job and the field that is wrong', () => {
    expect(complaints(SubmitJobsDto, { jobs: [job({}), job({ priority: 'high' })] })).toEqual([
      '/jobs/1/priority: Expected a whole number from -100 to 100, got "high".',
    ]);
  });

  it.each([
    [[], 'a list of 0'],
    [Array.from({ length: 101 }, () => job({})), 'a list of 101'],
    ['x', '"x"'],
    [[1, 'x', null, []], 'a list of 4'],
  ])('refuses a wrong list (row %#) with one sentence', (jobs, got) => {
    expect(complaints(SubmitJobsDto, { jobs })).toEqual([`/jobs: Expected a list of 1 to 100 jobs, got ${got}.`]);
  });
});

describe('a query', () => {
  const query = (plain: object): unknown => {
    const decoded = decode(ListJobsQuery, plain, { place: toQueryName });
    return 'errors' in decoded ? decoded.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`) : { ...decoded.value };
  };

  it('arrives as text and leaves as values', () => {
    expect(query({ limit: '7', status: 'queued,running', label: 'a:b,c:d:e' })).toEqual({
      limit: 7,
      status: ['queued', 'running'],
      label: ['a:b', 'c:d:e'],
    });
  });

  it.each([
    [{ limit: '0' }, '?limit: Expected a whole number from 1 to 200, got 0.'],
    [{ limit: '1e2' }, '?limit: Expected a whole number from 1 to 200, got "1e2".'],
    [{ limit: ['1', '2'] }, '?limit: Expected a whole number from 1 to 200, got ["1","2"].'],
    [{ status: 'queued,done' }, '?status: Expected some of queued, assigned, running, paused, completed, failed, cancelled, separated by commas, got ["queued","done"].'],
    [{ statos: 'queued' }, '?statos: Unknown field "statos". Did you mean `status`?'],
    [{ worker: 'lab-3' }, '?worker: Expected the id of a worker (wkr_…), got "lab-3".'],
    [{ label: 'exp' }, '?label: Expected labels as `name:value`, separated by commas, got ["exp"].'],
    [{ createdAfter: 'yesterday' }, '?createdAfter: Expected a moment as in 2026-11-22T10:00:00Z, got "yesterday".'],
    [{ createdAfter: '2026-11-22T10:00:00' }, '?createdAfter: Expected a moment as in 2026-11-22T10:00:00Z, got "2026-11-22T10:00:00".'],
  ])('refuses %j', (plain, sentence) => {
    expect(query(plain)).toEqual([sentence]);
  });
});

describe('a new key', () => {
  it('needs a name and a known role', () => {
    expect(complaints(CreateKeyDto, { role: 'root', expiresAt: 'soon' })).toEqual([
      '/name: Expected text of 1 to 200 bytes, got nothing.',
      '/role: Expected one of admin, operator, submitter, viewer, worker, site, got "root".',
      '/expiresAt: Expected a moment as in 2027-01-01T00:00:00Z, got "soon".',
    ]);
  });
});
