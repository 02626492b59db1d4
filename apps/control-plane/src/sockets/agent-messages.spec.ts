import { newId } from '../new-id.js';
import { readBeat, readEnd, readProgress, readRefuse } from './agent-messages.js';
import { InvalidMessage } from './invalid-message.js';

const ref = { attemptId: newId('att'), epoch: 1 };
const end = {
  ...ref,
  outcome: 'failed',
  exit: { code: 1, signal: null },
  detail: null,
  usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null },
  containment: 'group',
  leftovers: 0,
  logs: {},
  ranMs: 5,
};

describe('words that cannot be stored as they are', () => {
  it.each([
    ['a NUL', 'a\0b', 'a\uFFFDb'],
    ['half a surrogate pair', 'a\ud800b', 'a\uFFFDb'],
    ['a whole pair', 'a😀b', 'a😀b'],
    ['more than is kept', 'x'.repeat(900_000), 'x'.repeat(4_000)],
    ['a pair where it is cut', `${'x'.repeat(3_999)}😀`, `${'x'.repeat(3_999)}\uFFFD`],
  ])('never keep an end or a refusal from being read: %s', (_what, detail, stored) => {
    expect(readEnd({ ...end, detail })).toMatchObject({ outcome: 'failed', detail: stored });
    expect(readRefuse({ ...ref, reason: 'noSlot', detail })).toMatchObject({ reason: 'noSlot', detail: stored });
  });

  it('never keep progress from being read', () => {
    expect(readProgress({ ...ref, fraction: 0.5, message: `\0${'y'.repeat(2_000)}` }).message).toBe(`\uFFFD${'y'.repeat(999)}`);
  });

  it('are refused where they are names', () => {
    expect(() => readEnd({ ...end, exit: { code: null, signal: 'SIG\0' } })).toThrow(InvalidMessage);
  });
});

describe('a sample in a beat', () => {
  const beat = (sample: object) => ({
    session: 1,
    executions: [],
    sample: { cpuPercent: 1, memoryUsedMb: 1, diskFreeMb: null, ...sample },
    paused: false,
    slotsFree: 1,
  });
  const gpu = { index: 0, utilisationPercent: 1, memoryUsedMb: 1, memoryTotalMb: 1, temperatureCelsius: -3, powerWatts: 1 };

  it('of an older agent says no more than it did', () => {
    expect(readBeat(beat({})).sample).toEqual({ cpuPercent: 1, memoryUsedMb: 1, diskFreeMb: null });
  });

  it('keeps unknown apart from none', () => {
    const sample = { gpus: [{ ...gpu, powerWatts: null }], diskReadBytesPerSecond: null, attempts: [] };
    expect(readBeat(beat(sample)).sample).toMatchObject(sample);
  });

  it.each([
    ['a negative load', { gpus: [{ ...gpu, utilisationPercent: -1 }] }, 'sample.gpus[0].utilisationPercent'],
    ['a negative processor load', { cpuPercent: -0.1 }, 'sample.cpuPercent: expected a number from 0 to 100, found -0.1'],
    ['more than all of the processor', { cpuPercent: 100.1 }, 'sample.cpuPercent'],
    ['not a number', { memoryUsedMb: Number.NaN }, 'sample.memoryUsedMb'],
    ['an infinity', { diskFreeMb: Number.POSITIVE_INFINITY }, 'sample.diskFreeMb'],
    ['memory that no machine has', { memoryUsedMb: 1e12 }, 'sample.memoryUsedMb'],
    ['a disk that no machine has', { diskFreeMb: 1e15 }, 'sample.diskFreeMb'],
    ['a number as text', { networkSentBytesPerSecond: 'NaN' }, 'sample.networkSentBytesPerSecond'],
    ['a flag for a number', { cpuPercent: true }, 'sample.cpuPercent'],
    ['the same GPU twice', { gpus: [gpu, gpu] }, 'sample.gpus[1]: 0 stands there twice'],
    ['a GPU below absolute zero', { gpus: [{ ...gpu, temperatureCelsius: -274 }] }, 'sample.gpus[0].temperatureCelsius'],
    ['processor time of an attempt below 0', { attempts: [{ attemptId: ref.attemptId, cpuSeconds: -1 }] }, 'sample.attempts[0].cpuSeconds'],
    ['a text for a list', { attempts: 'all' }, 'sample.attempts'],
    ['lists in lists without end', { gpus: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as unknown }, 'levels of nesting'],
    ['a GPU of an absurd index', { gpus: [{ ...gpu, index: 1e9 }] }, 'sample.gpus[0].index'],
    ['more GPUs than a machine has', { gpus: Array.from({ length: 65 }, () => gpu) }, 'sample.gpus'],
    ['usage of somebody who is no attempt', { attempts: [{ attemptId: 'job_1' }] }, 'sample.attempts[0].attemptId'],
  ])('is refused by name with %s, and the beat is not', (_, sample, at) => {
    const read = readBeat({ ...beat(sample), executions: [{ ...ref, state: 'running' }] });
    expect(read).toMatchObject({ sample: null, sampleRefused: expect.stringContaining(at), executions: [{ ...ref, state: 'running' }] });
  });

  it('passes over faults that this control plane does not know, and keeps the words of others short', () => {
    const faults = [{ code: 'ofTheFuture', detail: 'x' }, { code: 'runtime', detail: 'x'.repeat(5_000) }];
    const [fault, ...others] = readBeat(beat({ faults })).sample?.faults ?? [];
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ code: 'runtime', detail: expect.stringMatching(/^x{1000}$/) });
  });
});
