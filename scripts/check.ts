// `npm run check`: everything about the sources that can be judged without running the tests. With --sources only what
// no test looks at; that is what `npm test` asks for.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

type Check = readonly [name: string, program: string, ...flags: string[]]

const sourceChecks: readonly Check[] = [
  ['format and lint', 'node_modules/.bin/biome', 'check', '.'],
  ['types', 'node_modules/.bin/tsc'],
]

const testedChecks: readonly Check[] = [
  [
    'import directions',
    process.execPath,
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    'main',
    'tests/architecture.test.ts',
  ],
  ['sql/menu.psql is fresh', process.execPath, 'scripts/build-menu.ts', '--check'],
  ['the table of doors is fresh', process.execPath, 'scripts/doors.ts', '--check'],
  ['sql/schema.sql is fresh', process.execPath, 'scripts/dump-schema.ts', '--check'],
]

/** Runs one check; its output comes only when it fails. */
async function check([name, program, ...flags]: Check): Promise<boolean> {
  const child = spawn(program, flags, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  console.log(`${code === 0 ? '✓' : '✗'} ${name}`)
  if (code !== 0) console.log(output)
  return code === 0
}

const checks = process.argv.includes('--sources') ? sourceChecks : [...sourceChecks, ...testedChecks]
const results = await Promise.all(checks.map(check))
if (results.includes(false)) process.exitCode = 1
