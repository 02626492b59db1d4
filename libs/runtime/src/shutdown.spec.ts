import { EventEmitter } from 'node:events';
import { exitCodeOfSignal, installShutdown, SIGNAL_MERGE_MS, type ShutdownOptions } from './shutdown.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));

function setup(overrides: Partial<ShutdownOptions> = {}) {
  const source = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  const exits: number[] = [];
  const runs: string[] = [];
  let nowMs = 10_000;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: () => Promise.resolve() };
  let finish: (code?: number) => void = () => undefined;
  const run = (reason: string) => {
    runs.push(reason);
    return new Promise<number | void>((resolve) => (finish = resolve));
  };
  const shutdown = installShutdown({ run, clock, process: source, ...overrides });
  const send = (signal: NodeJS.Signals) => source.emit(signal, signal);
  const pass = (ms: number) => (nowMs += ms);
  return { shutdown, source, exits, runs, send, pass, finish: (code?: number) => finish(code) };
}

describe('a shutdown', () => {
  it('runs on the first signal and ends the process when it is done', async () => {
    const { send, finish, runs, exits, shutdown } = setup();
    send('SIGTERM');
    await settle();
    expect(runs).toEqual(['SIGTERM']);
    expect(shutdown.isRequested).toBe(true);
    expect(exits).toEqual([]);
    finish();
    await settle();
    expect(exits).toEqual([0]);
  });

  it('ends with the code that the shutdown resolves to', async () => {
    const { send, finish, exits } = setup();
    send('SIGINT');
    await settle();
    finish(3);
    await settle();
    expect(exits).toEqual([3]);
  });

  it('counts signals that come close together as one', async () => {
    const insisted: string[] = [];
    const { send, pass, runs } = setup({ insist: (reason) => insisted.push(reason) });
    send('SIGINT');
    pass(SIGNAL_MERGE_MS - 1);
    send('SIGINT');
    send('SIGTERM');
    await settle();
    expect(runs).toEqual(['SIGINT']);
    expect(insisted).toEqual([]);
  });

  it('insists on the second signal and on every later one', async () => {
    const insisted: string[] = [];
    const { send, pass } = setup({ insist: (reason) => insisted.push(reason) });
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM'] as const) {
      send(signal);
      pass(SIGNAL_MERGE_MS);
    }
    await settle();
    expect(insisted).toEqual(['SIGINT', 'SIGTERM']);
  });

  it('hears somebody who never stops pressing Ctrl-C', () => {
    const insisted: string[] = [];
    const { send, pass } = setup({ insist: (reason) => insisted.push(reason) });
    for (let press = 0; press < 13; press += 1) {
      send('SIGINT');
      pass(100);
    }
    expect(insisted).toHaveLength(2);
  });

  it('ends at once with the code of the signal when nothing else is said for the second', () => {
    const { send, pass, exits } = setup();
    send('SIGINT');
    pass(SIGNAL_MERGE_MS);
    send('SIGTERM');
    expect(exits).toEqual([143]);
  });

  it('ends with 1 and tells why when the shutdown itself fails', async () => {
    const errors: unknown[] = [];
    const run = () => Promise.reject(new Error('stuck'));
    const { send, exits } = setup({ run, onError: (error) => errors.push(error) });
    send('SIGTERM');
    await settle();
    expect(exits).toEqual([1]);
    expect(String(errors[0])).toBe('Error: stuck');
  });

  it('can be requested without a signal, and a request never insists', async () => {
    const { shutdown, runs, exits } = setup();
    shutdown.request('parent is gone');
    shutdown.request('parent is gone');
    await settle();
    expect(runs).toEqual(['parent is gone']);
    expect(exits).toEqual([]);
  });

  it('leaves the signals alone once disposed', () => {
    const { shutdown, source } = setup();
    expect(source.listenerCount('SIGINT')).toBe(1);
    shutdown.dispose();
    expect(source.eventNames()).toEqual([]);
  });

  it('names exit codes as shells do', () => {
    expect([exitCodeOfSignal('SIGINT'), exitCodeOfSignal('SIGTERM'), exitCodeOfSignal('SIGKILL')]).toEqual([
      130, 143, 137,
    ]);
  });
});
