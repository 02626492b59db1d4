import { PROBLEMS, type ProblemCode } from '@muster/protocol';
import { IllegalTransition, InvalidRequest, NotFound, TryLater, UnexpectedAnswer, toMusterError } from './errors.js';

const problem = (code: ProblemCode, more: object = {}): object => ({
  type: `/problems/${code}`,
  title: PROBLEMS[code].title,
  status: PROBLEMS[code].status,
  code,
  detail: 'what was found',
  requestId: 'req_1',
  ...more,
});
const headers = (entries: Record<string, string> = {}): Headers => new Headers(entries);

describe('a refusal', () => {
  it.each(Object.keys(PROBLEMS) as ProblemCode[])('keeps code, status, detail and request id of %s', (code) => {
    const error = toMusterError(PROBLEMS[code].status, problem(code), headers());
    expect(error).toMatchObject({
      code,
      status: PROBLEMS[code].status,
      detail: 'what was found',
      message: 'what was found',
      requestId: 'req_1',
    });
  });

  it('of a field says which and what to do', () => {
    const errors = [{ pointer: '/run/command', detail: 'must not be empty' }];
    const error = toMusterError(400, problem('invalidRequest', { errors, hint: 'Give a program.' }), headers());
    expect(error).toBeInstanceOf(InvalidRequest);
    expect(error).toMatchObject({ errors, hint: 'Give a program.', name: 'InvalidRequest' });
  });

  it('of an action names the state that stood in the way and what is allowed', () => {
    const error = toMusterError(
      409,
      problem('illegalTransition', { currentState: 'completed', allowedActions: ['retry'] }),
      headers(),
    );
    expect(error).toBeInstanceOf(IllegalTransition);
    expect(error).toMatchObject({ currentState: 'completed', allowedActions: ['retry'] });
  });

  it('for too many requests carries the pause that was asked for', () => {
    const error = toMusterError(429, problem('tooManyRequests'), headers({ 'retry-after': '2' }));
    expect(error).toBeInstanceOf(TryLater);
    expect(error).toMatchObject({ retryAfterMs: 2_000 });
  });

  it('by a gateway in front of us is worth another try', () => {
    expect(toMusterError(502, '<html>Bad Gateway</html>', headers())).toBeInstanceOf(TryLater);
  });

  it('by something that is not Muster says so', () => {
    expect(toMusterError(404, '<html>not here</html>', headers())).toBeInstanceOf(UnexpectedAnswer);
    expect(toMusterError(404, problem('notFound'), headers())).toBeInstanceOf(NotFound);
    expect(toMusterError(404, { ...problem('notFound'), code: 'toString' }, headers())).toBeInstanceOf(
      UnexpectedAnswer,
    );
  });
});
