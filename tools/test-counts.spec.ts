import { countResults, sum, summaryLine } from './lib/test-counts.mjs';

function aResult(statuses: string[], overrides = {}) {
  const assertionResults = statuses.map((status, index) => ({ status, fullName: `test ${index}` }));
  return {
    numPassedTests: statuses.filter((status) => status === 'passed').length,
    numFailedTests: statuses.filter((status) => status === 'failed').length,
    numRuntimeErrorTestSuites: 0,
    testResults: [{ assertionResults }],
    ...overrides,
  };
}

describe('the sum of npm test', () => {
  it('is one line with what passed and failed', () => {
    const counts = [countResults(aResult(['passed', 'passed']), 0), countResults(aResult(['passed', 'failed']), 1)];
    expect(summaryLine(sum(counts, { isEverythingRequired: false }))).toBe('3 passed, 1 failed');
  });

  it('names skipped tests, and counts them as failed where everything is required', () => {
    const count = countResults(aResult(['passed', 'pending', 'todo']), 0);
    expect(count.skipped).toEqual(['test 1', 'test 2']);
    expect(summaryLine(sum([count], { isEverythingRequired: false }))).toBe('1 passed, 0 failed, 2 skipped');
    expect(summaryLine(sum([count], { isEverythingRequired: true }))).toBe('1 passed, 2 failed');
  });

  it('counts a test file that could not run as a failure', () => {
    expect(countResults(aResult(['passed'], { numRuntimeErrorTestSuites: 1 }), 1)).toMatchObject({
      passed: 1,
      failed: 1,
    });
  });

  it('counts a run without a result, and one that ends badly without saying why, as a failure', () => {
    expect(countResults(undefined, 0)).toMatchObject({ failed: 1 });
    expect(countResults(aResult(['passed']), 1)).toMatchObject({ passed: 1, failed: 1 });
  });
});
