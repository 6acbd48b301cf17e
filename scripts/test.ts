// `npm test`: the checks, then the tests; the engine's a second time on an older Postgres where the machine has one.
//
//   npm test                       everything that has to pass; what fails alone once more, and is named (see secondTry)
//   npm test -- tests/store        the tests in these files only, without the checks
//   npm run test:long              what takes longer, one file at a time

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunReport } from '../tests/support/closing-line-reporter.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const olderMajor = '15'

async function run(program: string, flags: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const child = spawn(program, flags, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

function findOlderServer(): string | null {
  const folders = [
    `/usr/lib/postgresql/${olderMajor}/bin`,
    `/usr/pgsql-${olderMajor}/bin`,
    `/opt/homebrew/opt/postgresql@${olderMajor}/bin`,
    ...(process.env.PATH ?? '').split(':').filter((folder) => folder.includes(`${olderMajor}/bin`)),
  ]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => isProgram(join(folder, name)))) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const isLong = process.argv.includes('--long')
const rest = process.argv.slice(2).filter((flag) => flag !== '--long')

// Checks that fail stop nothing: what the tests say is wanted all the same, and the closing line counts them.
const checksFailed =
  !isLong && rest.length === 0 && (await run(process.execPath, ['scripts/check.ts', '--sources'])) !== 0

const olderServer = isLong ? null : findOlderServer()
if (!isLong) {
  console.log(
    olderServer === null
      ? `The engine is not tested on Postgres ${olderMajor}: this machine does not have it.`
      : `The engine is also tested on Postgres ${olderMajor}: ${olderServer}`,
  )
}
/** More than these in one run are no accident of the machine. */
const secondTriesMax = 3

async function runTests(flags: readonly string[]): Promise<RunReport> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-test-report-'))
  const file = join(folder, 'report.json')
  const code = await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...flags], {
    ...process.env,
    ...(isLong ? { INTERLOCK_TEST_LONG: '1' } : {}),
    ...(olderServer === null ? {} : { INTERLOCK_TEST_OLDER_SERVER: olderServer }),
    INTERLOCK_TEST_REPORT: file,
  })
  const text = await readFile(file, 'utf8').catch(() => null)
  await rm(folder, { recursive: true, force: true })
  const report: RunReport = text === null ? { passed: 0, failed: 1, failedFiles: [], errors: 1 } : JSON.parse(text)
  return code === 0 || report.failed > 0 ? report : { ...report, failed: 1, errors: 1 }
}

/**
 * The files that failed, once more and one by one. Thousands of tests with real processes and real deadlines on a machine that
 * others use as well: now and then one of them comes too late, and says nothing of the program. What fails twice, and by
 * itself, is a failure. What passes then is said by name: it is to be mended, for the next one who reads this.
 */
async function secondTry(first: RunReport): Promise<RunReport> {
  const { failedFiles, errors } = first
  if (isLong || rest.length > 0 || errors > 0 || failedFiles.length === 0 || failedFiles.length > secondTriesMax)
    return first
  console.log(`\nFailed; once more, alone: ${failedFiles.join(', ')}`)
  const second = await runTests([...failedFiles, '--no-file-parallelism'])
  if (second.failed > 0) return first
  console.log(`\nPassed at the second try only, which is a defect of the test or worse: ${failedFiles.join(', ')}`)
  return { passed: first.passed + first.failed, failed: 0, failedFiles: [], errors: 0 }
}

const { passed, failed } = await secondTry(await runTests(rest))
if (checksFailed) console.log('\nThe checks before the tests failed; what they said is above the tests.')
const failures = failed + (checksFailed ? 1 : 0)
// Alone on a line, for programs that read it.
console.log(`\n${passed} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
