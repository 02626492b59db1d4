import { stripVTControlCharacters } from 'node:util';
import { createLogger, type LoggerOptions } from './logger.js';
import { redactText } from './redact.js';

function setup(options: Partial<LoggerOptions> = {}, isTTY = false) {
  const lines: string[] = [];
  const sink = { isTTY, write: (line: string) => lines.push(line) };
  const log = createLogger({ name: 'agent', sink, ...options });
  const records = () => lines.map((line): Record<string, unknown> => JSON.parse(line));
  return { log, lines, records };
}

describe('the logger', () => {
  it('writes one event as one JSON line with its fields', () => {
    const { log, lines, records } = setup();
    log.child({ workerId: 'wkr_1' }).info({ jobId: 'job_1', attempt: 2 }, 'lease\nexpired');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('\n')).toBe(true);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(records()[0]).toMatchObject({
      level: 'info',
      name: 'agent',
      workerId: 'wkr_1',
      jobId: 'job_1',
      attempt: 2,
      msg: 'lease\nexpired',
    });
    expect(String(records()[0]?.time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('is silent below its level', () => {
    const { log, lines } = setup({ level: 'warn' });
    log.info('quiet');
    log.warn('loud');
    expect(lines).toHaveLength(1);
  });

  it('writes errors with message and stack', () => {
    const { log, records } = setup();
    log.error({ err: new Error('disk full') }, 'flush failed');
    expect(records()[0]?.err).toMatchObject({ type: 'Error', message: 'disk full' });
  });

  it('masks fields that are named like secrets, at any depth and in child bindings', () => {
    const { log, lines, records } = setup();
    log
      .child({ jobToken: 'one' })
      .info({ key: 'two', request: { headers: { authorization: 'Bearer "three"' } }, env: { HF_TOKEN: 'four' } }, 'x');
    expect(records()[0]).toMatchObject({ jobToken: '[redacted]', key: '[redacted]', env: { HF_TOKEN: '[redacted]' } });
    expect(lines[0]).not.toMatch(/one|two|three|four/);
  });

  it('leaves names readable that only mention a key', () => {
    const { log, records } = setup();
    log.info({ keyPrefix: 'wak_', keyId: 'key_1', secrets: ['HF_TOKEN'] }, 'refused');
    expect(records()[0]).toMatchObject({ keyPrefix: 'wak_', keyId: 'key_1', secrets: ['HF_TOKEN'] });
  });

  it('masks our keys and credentials wherever they stand, also in messages and stacks', () => {
    const { log, lines } = setup();
    log.error(
      { err: new Error('refused mst_adm_S3cretPart-9') },
      'key wak_AbCd1234 at postgres://me:hunter2@db:5432/x',
    );
    expect(lines[0]).not.toMatch(/S3cretPart|AbCd1234|hunter2/);
    expect(lines[0]).toContain('mst_adm_[redacted]');
    expect(lines[0]).toContain('postgres://me:[redacted]@db:5432/x');
  });

  it('masks the same in texts that are not log lines', () => {
    expect(redactText('use mst_job_abcdefgh now')).toBe('use mst_job_[redacted] now');
  });

  it('is readable on a terminal', () => {
    const { log, lines } = setup({}, true);
    log.warn({ jobId: 'job_1', note: 'two words', deep: { a: 1 } }, 'lease expired');
    const plain = stripVTControlCharacters(lines[0] ?? '');
    expect(plain).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}agent lease expired jobId=job_1 note="two words" deep=\{"a":1\}\n$/,
    );
  });

  it('shows an error readably with its stack below', () => {
    const { log, lines } = setup({ format: 'readable' });
    log.error({ err: new Error('disk full') }, 'flush failed');
    const plain = stripVTControlCharacters(lines[0] ?? '');
    expect(plain).toMatch(/error agent flush failed disk full\nError: disk full\n {4}at /);
  });
});
