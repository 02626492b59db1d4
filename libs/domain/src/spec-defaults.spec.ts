import { LIMITS } from '@muster/protocol';
import { W_MS } from '../test/factories.js';
import { toJobSpec } from './spec-defaults.js';
import type { SubmittedJob } from './spec-defaults.js';

const run = { command: ['/usr/bin/env', 'true'] };

function pointers(submitted: SubmittedJob, workerTimeoutMs = W_MS): string[] {
  const result = toJobSpec(submitted, workerTimeoutMs);
  return result.ok ? [] : result.errors.map((error) => error.pointer);
}

describe('job spec', () => {
  test('gets every default when it is accepted', () => {
    expect(toJobSpec({ run }, W_MS)).toEqual({
      ok: true,
      spec: {
        name: 'env', run, env: {}, labels: {}, needs: {}, limits: { logBytes: LIMITS.logBytesDefault }, priority: 0, graceSeconds: 10, stopSignal: 'SIGTERM',
        retry: { onFailure: 0, onWorkerLost: 3, backoffSeconds: 5 },
        disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false },
        logs: { separate: false }, pause: 'freeze',
      },
    });
  });

  test('keeps what was asked for', () => {
    const result = toJobSpec({ run: { shell: 'echo 1\necho 2' }, priority: 7, retry: { onFailure: 2, exitCodes: [75] }, disconnect: { lostAfterSeconds: 0 } }, W_MS);
    expect(result).toMatchObject({ ok: true, spec: { name: 'echo 1', priority: 7, retry: { onFailure: 2, exitCodes: [75], onWorkerLost: 3 }, disconnect: { lostAfterSeconds: 0 } } });
  });

  test('with retry never also gives up when its worker is lost', () => {
    expect(toJobSpec({ run, retry: { never: true } }, W_MS)).toMatchObject({ ok: true, spec: { retry: { onWorkerLost: 0 }, disconnect: { onWorkerLost: 'fail' } } });
  });

  test('keeps work for other programs as it was given, and never gives a fine-tuning run away by itself', () => {
    const external = { kind: 'http', payload: { model: 'iris', rates: [0.1, null], deep: { er: true } } } as const;
    expect(toJobSpec({ run: { external } }, W_MS)).toMatchObject({ ok: true, spec: { name: 'http', run: { external }, disconnect: { onWorkerLost: 'requeue' } } });
    expect(toJobSpec({ run: { external: { kind: 'finetunelab', payload: {} } } }, W_MS)).toMatchObject({ ok: true, spec: { disconnect: { onWorkerLost: 'wait' } } });
  });

  test.each<[string, SubmittedJob, string[]]>([
    ['no kind of run', { run: {} }, ['/run']],
    ['two kinds of run', { run: { command: ['a'], shell: 'a' } }, ['/run']],
    ['an empty program', { run: { command: [''] } }, ['/run/command/0']],
    ['a script of blanks', { run: { shell: ' \n' } }, ['/run/shell']],
    ['NUL in an argument', { run: { command: ['a', 'b\0c'] } }, ['/run/command/1']],
    ['NUL in a variable', { run, env: { 'A/B': '\0' } }, ['/env/A~1B']],
    ['NUL in a label', { run, labels: { a: '\0' } }, ['/labels/a']],
    ['an argument the kernel refuses', { run: { command: ['a', 'x'.repeat(131_072)] } }, ['/run/command/1']],
    ['a wide argument, counted in bytes', { run: { command: ['a', '€'.repeat(43_691)] } }, ['/run/command/1']],
    ['arguments too large together', { run: { command: Array.from({ length: 9 }, () => 'x'.repeat(110_000)) } }, ['/run']],
    ['a label that does not parse', { run, needs: { labels: { driver: '>=new' } } }, ['/needs/labels/driver']],
    ['a model of no GPU', { run, needs: { gpus: 0, gpuModel: 'H100' } }, ['/needs/gpuModel']],
    ['an unknown stop signal', { run, stopSignal: 'SIGKILL' }, ['/stopSignal']],
    ['never and retries', { run, retry: { never: true, onFailure: 1, onWorkerLost: 1 } }, ['/retry/onFailure', '/retry/onWorkerLost']],
    ['never and requeue', { run, retry: { never: true }, disconnect: { onWorkerLost: 'requeue' } }, ['/disconnect/onWorkerLost']],
    ['exit codes without retries', { run, retry: { exitCodes: [75] } }, ['/retry/exitCodes']],
    ['exclusive and wait', { run, disconnect: { exclusive: true, onWorkerLost: 'wait' } }, ['/disconnect/onWorkerLost']],
    ['external and exclusive', { run: { external: { kind: 'http', payload: {} } }, disconnect: { exclusive: true } }, ['/disconnect/exclusive']],
    ['external beside a command', { run: { command: ['a'], external: { kind: 'http', payload: {} } } }, ['/run']],
    ['a pause that would lose what it did', { run, pause: 'checkpoint' }, ['/pause']],
    ['several at once', { run: {}, stopSignal: 'x', retry: { exitCodes: [1] } }, ['/run', '/stopSignal', '/retry/exitCodes']],
  ])('with %s is refused, and the complaint points there', (_case, submitted, expected) => {
    expect(pointers(submitted)).toEqual(expected);
  });

  test('says at which character a label is wrong', () => {
    const result = toJobSpec({ run, needs: { labels: { driver: '>=5x' } } }, W_MS);
    expect(result).toMatchObject({ ok: false, errors: [{ detail: '">=" compares numbers like 550 or 550.54; wrong at character 4 of ">=5x".' }] });
  });

  test('exclusive is refused when the old copy could outlive its lease', () => {
    // W 3 s and no more: 0.7 x 3 s x 1.02 + grace 10 s + 1 s is not below 3 s.
    const exclusive = (lostAfterSeconds: number, graceSeconds: number) => pointers({ run, graceSeconds, disconnect: { exclusive: true, lostAfterSeconds } }, 3_000);
    expect(exclusive(0, 10)).toEqual(['/disconnect/exclusive']);
    // Lease 40 s: dead by 28.56 + 10 + 1 = 39.56 s. Lease 38 s: by 38.13 s.
    expect([exclusive(37, 10), exclusive(35, 10)]).toEqual([[], ['/disconnect/exclusive']]);
  });
});
