import { BadShape } from './shape.js';
import { decodeAck, SERVER_MESSAGES } from './server-messages.js';

const ref = { attemptId: 'att_00000000000000000000000001', epoch: 3 };
const spec = {
  name: 'job',
  run: { command: ['true'] },
  env: { A: '1' },
  labels: {},
  needs: {},
  limits: { runSeconds: 5 },
  priority: -1,
  graceSeconds: 10,
  stopSignal: 'SIGTERM',
  retry: { onFailure: 0, onWorkerLost: 3, backoffSeconds: 5 },
  disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false },
  logs: { separate: false },
};
const offer = { ...ref, jobId: 'job_00000000000000000000000001', number: 1, spec, gpus: [0], offerTtlMs: 15_000 };
const changed = (change: object): unknown => ({ ...offer, spec: { ...spec, ...change } });

describe('what the control plane says', () => {
  it('is an offer when it has all of it', () => {
    expect(SERVER_MESSAGES['attempt:offer'](offer, '')).toEqual(offer);
  });

  it('may hold members that this agent does not know', () => {
    expect(SERVER_MESSAGES['attempt:offer']({ ...offer, moonPhase: 0.5 }, '')).toEqual(offer);
  });

  it.each([
    ['an id of another kind', { ...offer, attemptId: 'job_00000000000000000000000001' }, 'attemptId'],
    ['an epoch that is no number', { ...offer, epoch: '1' }, 'epoch'],
    ['a job of two kinds', changed({ run: { command: ['true'], shell: 'true' } }), 'spec.run'],
    ['a job of no kind', changed({ run: {} }), 'spec.run'],
    ['a command with something else than text', changed({ run: { command: ['sleep', 5] } }), 'spec.run.command[1]'],
    ['a variable that is no text', changed({ env: { A: 1 } }), 'spec.env.A'],
    ['a limit that is not finite', changed({ limits: { runSeconds: Number.NaN } }), 'spec.limits.runSeconds'],
    [
      'a policy nobody knows',
      changed({ disconnect: { ...spec.disconnect, onWorkerLost: 'pray' } }),
      'spec.disconnect.onWorkerLost',
    ],
    ['a list', [offer], 'the message'],
  ])('is refused with the place when it is %s', (_, message, at) => {
    expect(() => SERVER_MESSAGES['attempt:offer'](message, '')).toThrow(BadShape);
    expect(() => SERVER_MESSAGES['attempt:offer'](message, '')).toThrow(`${at}: expected`);
  });

  it('keeps a member named __proto__ from becoming one', () => {
    const message = JSON.parse(`{"attemptId":"${ref.attemptId}","epoch":3,"__proto__":{"polluted":true}}`) as unknown;
    expect(SERVER_MESSAGES['attempt:withdraw'](message, '')).toEqual(ref);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('answers a beat with verdicts of the five kinds', () => {
    const verdicts = [
      { kind: 'keep', ref, leaseMs: null, command: { kind: 'stop', graceSeconds: 3, reason: 'cancelled' } },
      { kind: 'stop', ref, reason: 'superseded' },
      { kind: 'reclaimed', ref, attempt: { ...ref, epoch: 4 }, leaseMs: 5 },
      { kind: 'unleased', ref },
      { kind: 'reportEnd', ref },
    ];
    expect(decodeAck('worker:beat', { ok: { beatIntervalMs: 10, verdicts } })).toEqual({
      ok: { beatIntervalMs: 10, verdicts },
    });
    const unknown = { ok: { beatIntervalMs: 10, verdicts: [{ kind: 'explode', ref }] } };
    expect(() => decodeAck('worker:beat', unknown)).toThrow('ok.verdicts[0].kind: expected one of');
  });

  it.each([
    [{ storedLength: 5 }, { storedLength: 5 }],
    [{ gone: true }, { gone: true }],
    [{ retryAfterMs: 250 }, { retryAfterMs: 250 }],
  ])('answers a chunk with %j', (ok, decoded) => {
    expect(decodeAck('log:append', { ok })).toEqual({ ok: decoded });
  });

  it('refuses a message with a known code', () => {
    const error = { code: 'unavailable', detail: 'later' };
    expect(decodeAck('attempt:end', { error })).toEqual({ error });
    expect(() => decodeAck('attempt:end', { error: { code: 'whatever', detail: '' } })).toThrow(BadShape);
    expect(() => decodeAck('attempt:end', undefined)).toThrow(BadShape);
  });
});
