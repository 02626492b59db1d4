import { Command } from 'commander';
import type { JobSubmission } from '@muster/client';
import { addJobFlags, withFlags, type JobFlags } from './flags.js';

function parse(words: readonly string[], base: Partial<JobSubmission> = {}): Partial<JobSubmission> {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addJobFlags(command);
  command.parse([...words], { from: 'user' });
  return withFlags(base, command.opts<JobFlags>());
}

describe('flags of a job', () => {
  it('say nothing that nobody said, so that the control plane fills in its defaults', () => {
    expect(parse([])).toEqual({});
  });

  it('become the fields of the spec', () => {
    const words =
      '--name a --env A=1 --env B=2 --label x=y --priority -5 --gpus 1 --memory 8Gi --capability gpu --need driver=>=550 ' +
      '--timeout 2h --queue-timeout 10m --silence-timeout 90 --memory-limit 4Gi --log-limit 1Mi --retries 2 --lost-retries 0 ' +
      '--retry-exit-code 75 --retry-exit-code 76 --backoff 1.5s --grace 0 --stop-signal SIGINT --exclusive ' +
      '--on-worker-lost wait --lost-after 1m --separate-logs';
    expect(parse(words.split(' '))).toEqual({
      name: 'a',
      env: { A: '1', B: '2' },
      labels: { x: 'y' },
      priority: -5,
      needs: { capability: 'gpu', labels: { driver: '>=550' }, memoryMb: 8_192, gpus: 1 },
      limits: { runSeconds: 7_200, queueSeconds: 600, silenceSeconds: 90, memoryMb: 4_096, logBytes: 1_048_576 },
      retry: { onFailure: 2, onWorkerLost: 0, exitCodes: [75, 76], backoffSeconds: 1.5 },
      graceSeconds: 0,
      stopSignal: 'SIGINT',
      disconnect: { lostAfterSeconds: 60, onWorkerLost: 'wait', exclusive: true },
      logs: { separate: true },
    });
  });

  it('win over the file, and maps are joined', () => {
    const base: Partial<JobSubmission> = {
      name: 'file',
      env: { A: 'file', C: 'file' },
      limits: { runSeconds: 1 },
      priority: 3,
    };
    expect(parse(['--name', 'flag', '--env', 'A=flag', '--timeout', '5'], base)).toEqual({
      name: 'flag',
      env: { A: 'flag', C: 'file' },
      limits: { runSeconds: 5 },
      priority: 3,
    });
  });

  it('can forbid every retry', () => {
    expect(parse(['--no-retry'])).toEqual({ retry: { never: true } });
  });

  it('keep fields of a file that they do not know, for the control plane to judge', () => {
    expect(parse([], { surprise: 1 } as Partial<JobSubmission>)).toEqual({ surprise: 1 });
  });

  it.each([
    ['--capability', 'tpu'],
    ['--timeout', 'soon'],
    ['--env', 'novalue'],
    ['--on-worker-lost', 'panic'],
  ])('refuse %s %s', (...words) => {
    expect(() => parse(words)).toThrow(/is invalid/);
  });
});
