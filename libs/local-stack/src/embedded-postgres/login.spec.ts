import { DatabaseError } from 'pg';
import { untilAnswered } from './login.js';

const refusedWith = (code: string): DatabaseError => Object.assign(new DatabaseError('no', 2, 'error'), { code });
const inAMinute = (): number => performance.now() + 60_000;

describe('a question to a server that is very busy', () => {
  it('is asked again when a login took too long, and while the server still starts', async () => {
    const answers = [new Error('timeout expired'), refusedWith('57P03'), 'yes'];
    let asked = 0;
    const ask = async (): Promise<unknown> => {
      const answer = answers[asked++];
      if (answer instanceof Error) throw answer;
      return answer;
    };
    expect(await untilAnswered(ask, inAMinute())).toBe('yes');
    expect(asked).toBe(3);
  });

  it('is not asked again when the server refused', async () => {
    let asked = 0;
    const ask = async (): Promise<never> => {
      asked += 1;
      throw refusedWith('42501');
    };
    await expect(untilAnswered(ask, inAMinute())).rejects.toThrow('no');
    expect(asked).toBe(1);
  });

  it('is given up when the time is over or somebody gives up the start', async () => {
    const ask = async (): Promise<never> => {
      throw new Error('timeout expired');
    };
    await expect(untilAnswered(ask, performance.now() - 1)).rejects.toThrow('timeout expired');
    await expect(untilAnswered(ask, inAMinute(), AbortSignal.abort(new Error('given up')))).rejects.toThrow('given up');
  });
});
