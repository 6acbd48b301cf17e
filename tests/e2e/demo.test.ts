import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What `npm run demo` has to find in order, by the beginning of the line. */
const checks = [
  'no two claims of one resource overlap',
  'the files of the jobs themselves show no overlap',
  'the log has no gap',
  'every job ended exactly once, as expected',
  'alice-2 waited for alice-1, while bob-1 and charlie-1 ran',
  'the commits of one user never overlap',
  'blocked jobs name their blocker and the reason',
  'a waiting job says so',
  'a job that waited for a model started within 100 ms of its release',
  'the workflow that needs both models started only with both',
  'the workflow was not starved by a stream of jobs that need one model',
  'the task that crashes was retried, then failed for good',
  'the task that hangs was stopped at its timeout',
  'the job of the agent that was killed ran elsewhere within 5 s',
  'its former processes were gone before it ran again',
  'a late write with the old token was refused',
  "the auditor's view interlock.violations is empty",
]

/** The checks that measure a time. */
const figures = ['started within 100 ms of its release', 'ran elsewhere within 5 s']

/** Plays it once, with a folder of its own for its temporary files. */
async function play(): Promise<{ output: string; code: unknown; temporary: string }> {
  // A folder for its temporary files: what it leaves there can be seen.
  const temporary = await mkdtemp(join(tmpdir(), 'interlock-e2e-demo-'))
  // As root its Postgres runs as another user, who has to come through.
  await chmod(temporary, 0o755)
  const { DATABASE_URL: _, ...environment } = process.env
  const child = spawn(process.execPath, ['scripts/demo.ts'], {
    cwd: root,
    env: { ...environment, TMPDIR: temporary, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  return { output, code, temporary }
}

function verdictsOf(output: string): string[] {
  return output.split('\n').filter((line) => /^(ok|FAILED) +/.test(line))
}

describe('npm run demo', () => {
  it('plays the demonstration on real processes, and everything that was promised is kept', async () => {
    let { output, code, temporary } = await play()
    // Two of its checks are figures, and another program may have had the machine: they hold at the second try. What is a
    // promise has to hold at the first.
    const failed = verdictsOf(output).filter((line) => !line.startsWith('ok'))
    if (failed.length > 0 && failed.every((line) => figures.some((figure) => line.includes(figure)))) {
      console.log(`played again: ${failed.join('; ')}`)
      await rm(temporary, { recursive: true, force: true })
      ;({ output, code, temporary } = await play())
    }
    const verdicts = verdictsOf(output)
    expect(
      verdicts.filter((line) => !line.startsWith('ok')),
      output,
    ).toEqual([])
    expect(verdicts, output).toHaveLength(checks.length)
    for (const [index, check] of checks.entries()) expect(verdicts[index]).toContain(check)
    expect(output).toMatch(/^alice +\.*\[alice-1=*\]/m)
    expect(output).toContain('Everything held.')
    expect(code).toBe(0)
    expect((await readdir(temporary)).filter((name) => name.startsWith('interlock'))).toEqual([])
    await rm(temporary, { recursive: true })
  }, 120_000)
})
