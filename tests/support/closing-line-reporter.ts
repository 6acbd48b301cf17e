import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** Ends the output with `N passed, N failed` alone on a line, for programs that read it. */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    let passed = 0
    // An error outside the tests, or in a file's hooks, is a failure that no test shows.
    let failed = unhandledErrors.length
    if (process.env.INTERLOCK_TEST_CHECKS_FAILED === '1') {
      failed += 1
      process.stdout.write('\nThe checks before the tests failed; what they said is above the tests.\n')
    }
    for (const testModule of testModules) {
      const tests = [...testModule.children.allTests()]
      passed += tests.filter((test) => test.result().state === 'passed').length
      const failedTests = tests.filter((test) => test.result().state === 'failed').length
      failed += failedTests === 0 && !testModule.ok() ? 1 : failedTests
    }
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  }
}
