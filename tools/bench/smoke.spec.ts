import { SUITES } from './sizes.mjs';
import { expectWholeRun, runBench } from './smoke-run.js';

jest.setTimeout(300_000);

describe('npm run bench', () => {
  it('runs the core suite to its end, says under which conditions, and writes what it measured', () => expectWholeRun('core', ['core']));

  it('refuses a suite that does not exist, naming those that do', async () => {
    const { code, output } = await runBench(['speed']);
    expect(code).toBe(2);
    expect(output).toContain(SUITES.join(', '));
  });
});
