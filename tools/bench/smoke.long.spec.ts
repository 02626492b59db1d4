import { SUITES } from './sizes.mjs';
import { expectWholeRun } from './smoke-run.js';

jest.setTimeout(900_000);

describe('npm run bench -- all', () => {
  it('runs every suite to its end, says under which conditions, and writes what it measured', () => expectWholeRun('all', SUITES));
});
