import { execFile, spawnSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningCli, startCli, temporaryFolder } from '../cli/run-cli.ts'
import { waitFor } from '../support/wait-for.ts'

// The first job through each door, as the README has it: its blocks, run as they stand there but for the port.

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const entry = fileURLToPath(new URL('../../src/client/entry.ts', import.meta.url))
const hasPsql = spawnSync('psql', ['--version']).status === 0

const readme = await readFile(join(root, 'README.md'), 'utf8')
const section = readme.slice(readme.indexOf('## Every door'), readme.indexOf('### Operations and doors'))
const blocks = [...section.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language = '', text = '']) => ({ language, text }))

let up: RunningCli
let folder: string
let url: string

beforeAll(async () => {
  folder = await temporaryFolder({ 'interlock.toml': '[tasks.edit-repo]\ncommand = ["true"]\n' })
  // Its Postgres runs as another user where we are root, and has to come through.
  await chmod(folder, 0o755)
  up = await startCli(['up', '--data-dir', join(folder, 'data'), '--port', '0'], { cwd: folder })
  const told = await waitFor(() => /http:\/\/127\.0\.0\.1:\d+/.exec(up.stdout() + up.stderr()), {
    what: 'the address to be told',
    timeoutMs: 60_000,
  })
  url = told[0]
  await waitFor(async () => (await (await fetch(`${url}/agents`)).text()).includes('"active"'), { what: 'an agent' })
}, 90_000)

afterAll(async () => {
  up.kill('SIGTERM')
  await up.ended()
})

async function completed(): Promise<number> {
  const { jobs } = (await (await fetch(`${url}/jobs?status=completed&user=ann&limit=100`)).json()) as {
    jobs: unknown[]
  }
  return jobs.length
}

async function execute({ language, text }: { readonly language: string; readonly text: string }): Promise<void> {
  const { host } = new URL(url)
  const asked = text.replaceAll('localhost:7400', host).replaceAll('127.0.0.1:7400', host)
  const environment = { ...process.env, INTERLOCK_URL: url, NO_COLOR: '1' }
  if (language === 'sh') {
    // Its own clone instead of what npx would look for.
    const script = asked.replaceAll('npx interlock', `${process.execPath} ${join(root, 'src/main.ts')}`)
    await run('sh', ['-ec', script], { cwd: folder, env: environment })
  } else if (language === 'ts') {
    const file = join(folder, 'first.ts')
    await writeFile(file, asked.replace("'interlock'", `'${entry}'`))
    await run(process.execPath, [file], { cwd: folder, env: environment })
  } else if (language === 'sql') {
    const file = join(folder, 'first.sql')
    await writeFile(file, asked)
    const line = /PGPASSWORD=.*? psql .*/.exec(up.stdout() + up.stderr())?.[0] ?? ''
    await run('sh', ['-ec', `${line} --no-psqlrc -v ON_ERROR_STOP=1 -f ${file}`], { cwd: folder, env: environment })
  }
}

describe('the first job of the README', () => {
  it('is there for every door, in at most three lines', () => {
    expect(blocks.map(({ language }) => language)).toEqual(['sh', 'ts', 'sh', 'sql', 'sh', 'sh'])
    for (const { text } of blocks) expect(text.trim().split('\n').length).toBeLessThanOrEqual(3)
  })

  it.for(blocks.map((block, index) => ({ ...block, index })))(
    'runs: block $index, $language',
    { timeout: 60_000 },
    async (block, { skip }) => {
      if (block.language === 'sql' && !hasPsql) skip('psql is not installed here')
      const before = await completed()
      await execute(block)
      await waitFor(async () => (await completed()) > before, { what: 'the job to be completed', timeoutMs: 20_000 })
    },
  )
})
