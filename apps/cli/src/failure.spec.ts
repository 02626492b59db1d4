import { Forbidden, InvalidRequest, Unauthenticated, Unreachable, WaitTimedOut } from '@muster/client';
import { failureDocument, renderFailure, toFailure } from './failure.js';

const URL = 'http://10.0.0.7:6878';

describe('a failure', () => {
  it('says what, why and the next command', () => {
    const failure = toFailure(
      new Unreachable({ code: 'unreachable', status: null, detail: 'Nothing listens there.' }),
      URL,
    );
    expect(renderFailure(failure, false)).toBe(
      'muster: The control plane at http://10.0.0.7:6878 cannot be reached.\n' +
        '  Nothing listens there.\n' +
        '  Next: Start one here with `muster up`, or name another with --url, MUSTER_URL or `muster login`.\n',
    );
  });

  it('lists every complaint about a field', () => {
    const errors = [
      { pointer: '/run/command', detail: 'must not be empty' },
      { pointer: '', detail: 'unknown field' },
    ];
    const refused = new InvalidRequest({ code: 'invalidRequest', status: 400, detail: '2 fields are wrong.', errors });
    expect(renderFailure(toFailure(refused, URL), false)).toContain(
      '  /run/command: must not be empty\n  body: unknown field\n',
    );
  });

  it('prefers what the control plane itself advises where that is not about REST', () => {
    const refused = new Forbidden({
      code: 'forbidden',
      status: 403,
      detail: 'A viewer may not submit.',
      hint: 'Ask maria.',
    });
    expect(toFailure(refused, URL).facts).toMatchObject({ exitCode: 4, next: 'Ask maria.' });
    const unknown = new Unauthenticated({
      code: 'unauthenticated',
      status: 401,
      detail: 'No key.',
      hint: 'Send a header.',
    });
    expect(toFailure(unknown, URL).facts).toMatchObject({
      exitCode: 4,
      why: 'No key.',
      next: `Sign in with one: muster login --url ${URL}`,
    });
  });

  it('of one field says it once', () => {
    const errors = [{ pointer: '/priority', detail: 'Expected a whole number, got "x".' }];
    const refused = new InvalidRequest({
      code: 'invalidRequest',
      status: 400,
      detail: '/priority: Expected a whole number, got "x".',
      errors,
    });
    expect(renderFailure(toFailure(refused, URL), false).match(/priority/g)).toHaveLength(1);
  });

  it('of several fields says each once, also where the whole is told by the first of them', () => {
    const errors = [
      { pointer: '/run', detail: 'Expected one of three.' },
      { pointer: '/needs/memory', detail: 'Unknown field.' },
    ];
    const detail = '/run: Expected one of three. (and 1 more in `errors`)';
    const refused = new InvalidRequest({ code: 'invalidRequest', status: 400, detail, errors });
    const text = renderFailure(toFailure(refused, URL), false);
    expect(text).not.toContain('more in');
    expect(text.match(/Expected one of three/g)).toHaveLength(1);
  });

  it('names the job in the command to type next', () => {
    const late = new WaitTimedOut({
      code: 'waitTimedOut',
      status: null,
      detail: 'Job job_01JDABCDEFGHJKMNPQRSTVWXYZ is still running.',
    });
    expect(toFailure(late, URL).facts).toMatchObject({
      exitCode: 7,
      next: 'Follow it: muster logs -f job_01JDABCDEFGHJKMNPQRSTVWXYZ',
    });
  });

  it('to speak TLS with a place of plain HTTP names the address to try', () => {
    const refused = new Unreachable({
      code: 'unreachable',
      status: null,
      detail: 'No answer from https://10.0.0.7:6878: what listens there does not speak TLS.',
      hint: 'Try http://10.0.0.7:6878: it seems to speak plain HTTP.',
    });
    expect(toFailure(refused, 'https://10.0.0.7:6878').facts).toMatchObject({
      exitCode: 6,
      next: 'It seems to speak plain HTTP. Try --url http://10.0.0.7:6878',
    });
  });

  it('shows the request id when more is asked for', () => {
    const refused = new InvalidRequest({ code: 'invalidRequest', status: 400, detail: 'no', requestId: 'req_7' });
    expect(renderFailure(toFailure(refused, URL), false)).not.toContain('req_7');
    expect(renderFailure(toFailure(refused, URL), true)).toContain('Request id: req_7');
  });

  it('is a problem document with the exit code for programs', () => {
    const refused = new InvalidRequest({
      code: 'invalidRequest',
      status: 400,
      detail: 'no',
      requestId: 'req_7',
      hint: 'Mend it.',
    });
    expect(failureDocument(toFailure(refused, URL))).toEqual({
      type: '/problems/invalidRequest',
      title: 'The request is not valid.',
      status: 400,
      code: 'invalidRequest',
      detail: 'no',
      hint: 'Correct what is named above and try again.',
      requestId: 'req_7',
      errors: [],
      exitCode: 2,
    });
  });
});
