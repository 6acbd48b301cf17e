// `npm test`: the checks, then the tests; the engine's a second time on an older Postgres where the machine has one.
//
//   npm test                       everything that has to pass
//   npm test -- tests/store        the tests in these files only, without the checks
//   npm run test:long              what takes longer, one file at a time

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

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
const code = await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...rest], {
  ...process.env,
  ...(isLong ? { INTERLOCK_TEST_LONG: '1' } : {}),
  ...(olderServer === null ? {} : { INTERLOCK_TEST_OLDER_SERVER: olderServer }),
  ...(checksFailed ? { INTERLOCK_TEST_CHECKS_FAILED: '1' } : {}),
})
process.exitCode = code === 0 && checksFailed ? 1 : code
