import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** What a run came to, for the program that started it (scripts/test.ts). */
export interface RunReport {
  readonly passed: number
  readonly failed: number
  readonly failedFiles: readonly string[]
  /** Of the failures, those that belong to no file. */
  readonly errors: number
}

/**
 * Ends the output with `N passed, N failed` alone on a line, for programs that read it; where INTERLOCK_TEST_REPORT names a
 * file, that is written instead, and whoever reads it says the line.
 */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    let passed = 0
    // An error outside the tests, or in a file's hooks, is a failure that no test shows.
    const errors = unhandledErrors.length
    let failed = errors
    const failedFiles = new Set<string>()
    for (const testModule of testModules) {
      const tests = [...testModule.children.allTests()]
      passed += tests.filter((test) => test.result().state === 'passed').length
      const failedTests = tests.filter((test) => test.result().state === 'failed').length
      failed += failedTests === 0 && !testModule.ok() ? 1 : failedTests
      if (!testModule.ok()) failedFiles.add(relative(process.cwd(), testModule.moduleId))
    }
    const file = process.env.INTERLOCK_TEST_REPORT
    const report: RunReport = { passed, failed, failedFiles: [...failedFiles], errors }
    if (file === undefined) process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
    else writeFileSync(file, JSON.stringify(report))
  }
}
