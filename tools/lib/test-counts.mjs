// Pure: what the results of several runs add up to, and the last line of `npm test`.

/** A run of Jest as counts. What Jest could not even run is a failure: a broken test file, a crash, no result at all. */
export function countResults(result, exitCode) {
  if (!result) return { passed: 0, failed: 1, skipped: [] };
  const skipped = result.testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => ['pending', 'skipped', 'todo', 'disabled'].includes(status))
      .map(({ fullName }) => fullName),
  );
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  const isUnexplained = failed === 0 && exitCode !== 0;
  return { passed: result.numPassedTests, failed: failed + (isUnexplained ? 1 : 0), skipped };
}

/** Adds up. Where everything is required, as in continuous integration, a skipped test has failed. */
export function sum(counts, { isEverythingRequired }) {
  const passed = counts.reduce((total, count) => total + count.passed, 0);
  const failed = counts.reduce((total, count) => total + count.failed, 0);
  const skipped = counts.reduce((total, count) => total + count.skipped.length, 0);
  return isEverythingRequired ? { passed, failed: failed + skipped, skipped: 0 } : { passed, failed, skipped };
}

export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
