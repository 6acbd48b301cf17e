import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { CheckResult, Finding } from '../../src/domain/finding.ts'
import { checkOldSnapshots } from '../../src/store/checkup/sessions.ts'
import { Database } from '../../src/store/database.ts'
import { startEmbeddedServer } from '../../src/store/embedded-server.ts'
import { migrate } from '../../src/store/migrations.ts'
import { createEmptyDatabase, createTestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { runCli, temporaryFolder } from './run-cli.ts'

const folders: string[] = []

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
})

interface Examined {
  readonly code: number | null
  readonly isHealthy: boolean
  /** By check, all findings but those that a server for tests deserves: it gives up durability. */
  readonly found: Readonly<Record<string, readonly Finding[]>>
}

async function examine(
  url: string,
  env: Readonly<Record<string, string>> = {},
  ...words: readonly string[]
): Promise<Examined> {
  const { code, stdout, stderr } = await runCli(['doctor', '--json', ...words], { env: { DATABASE_URL: url, ...env } })
  expect(stderr).toBe('')
  const { is_healthy, checks } = JSON.parse(stdout) as { is_healthy: boolean; checks: readonly CheckResult[] }
  const found = checks
    .map(({ check, findings }) => [check, findings] as const)
    .filter(([check, findings]) => check !== 'settings' && findings.length > 0)
  return { code, isHealthy: is_healthy, found: Object.fromEntries(found) }
}

describe('interlock doctor', () => {
  it('finds a fresh database on a server of its own healthy, says what it looked at, and ends with 0', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), `interlock-tests-${process.pid}-doctor-`))
    folders.push(dataDir)
    const server = await startEmbeddedServer({ dataDir })
    try {
      await server.ensureDatabase('interlock')
      const url = server.url('interlock')
      const database = new Database({ url })
      await migrate(database)
      await database.end()
      const { code, stdout, stderr } = await runCli(['doctor'], { env: { DATABASE_URL: url } })
      expect(stderr).toBe('')
      expect(stdout).toMatch(
        /^looked at 127\.0\.0\.1:\d+\/interlock \(Postgres \d+\)\n(ok {7}[a-z ]+\n){11}Healthy\.\n$/,
      )
      expect(code).toBe(0)
      await expect(runCli(['doctor', '--json'], { env: { DATABASE_URL: url } })).resolves.toMatchObject({
        code: 0,
        stdout: expect.stringContaining('"is_healthy": true'),
      })
    } finally {
      await server.stop()
    }
  })

  it('names each setting by which a crash loses what was acknowledged, with the way out, and ends with 7', async () => {
    const test = await createTestDatabase()
    const { code, stdout } = await runCli(['doctor'], { env: { DATABASE_URL: test.url } })
    expect(code).toBe(7)
    for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
      expect(stdout).toMatch(
        new RegExp(`^problem  settings: ${setting} is off: .*\n +-> alter system set ${setting} = on`, 'm'),
      )
    }
    await test.query(`alter database ${test.name} set default_transaction_isolation = 'serializable'`)
    const again = await runCli(['doctor'], { env: { DATABASE_URL: test.url } })
    expect(again.stdout).toContain('default_transaction_isolation is serializable: the verbs refuse it (IL010)')
  })

  it('finds nothing else amiss in a database that works', async () => {
    const test = await createTestDatabase()
    expect((await examine(test.url)).found).toEqual({})
  })

  it('finds what was changed behind the migrations’ back: a function, a view, a trigger, an index', async () => {
    const test = await createTestDatabase()
    await test.query(
      `create or replace function interlock.chance() returns double precision language sql as $$ select 0.5::float8 $$`,
    )
    await test.query('drop view interlock.locks')
    await test.query('alter table interlock.job_queue_log disable trigger all')
    const { code, found } = await examine(test.url)
    expect(code).toBe(7)
    const what = (found.schema ?? []).map((finding) => finding.what)
    expect(what).toContain('the function interlock.chance() was changed by hand')
    expect(what).toContain('the view interlock.locks is not there')
    expect(what.join('\n')).toMatch(/the trigger \w+ on interlock\.job_queue_log is switched off/)
    expect(found.schema?.every(({ remedy }) => remedy !== '')).toBe(true)
  })

  it('finds a database that lacks migrations, or is newer than the program', async () => {
    const empty = await createEmptyDatabase()
    expect((await examine(empty.url)).found).toMatchObject({
      schema: [{ what: expect.stringMatching(/^the database lacks 0001_/), remedy: 'interlock migrate up' }],
    })
    const test = await createTestDatabase()
    await test.query(`update interlock.installation set program_version = '99.0.0'`)
    expect((await examine(test.url)).found.schema).toMatchObject([
      { what: expect.stringContaining('newer than this program') },
    ])
  })

  it('finds what is stuck, and says who would have seen to it', async () => {
    const test = await createTestDatabase({ clock: 'movable' })
    await test.query(
      `select count(*) from interlock.enqueue_jobs('[{"task":"t","delay_seconds":5}, {"task":"t","queue":"high"}]')`,
    )
    await test.query('select interlock.absorb_touches()')
    await test.advanceClock(60)
    expect((await examine(test.url)).found['stuck jobs']).toMatchObject([
      {
        what: expect.stringContaining('it is due and still scheduled: no coordinator runs'),
        remedy: expect.stringContaining('interlock serve'),
      },
      {
        what: expect.stringContaining('no live agent serves high/autonomous'),
        remedy: expect.stringContaining('interlock agent'),
      },
    ])
  })

  it('prints what the auditor finds', async () => {
    const test = await createTestDatabase({ violations: 'expected' })
    await test.query(
      `insert into interlock.job_queue_state (resource, slot, active_job_id, fence) values ('user:x', 1, 'ghost', 1)`,
    )
    expect((await examine(test.url)).found.violations).toMatchObject([
      { what: expect.stringContaining('a slot is held by a job that does not hold it, user:x') },
    ])
  })

  it('finds agents that are registered again and again', async () => {
    const test = await createTestDatabase()
    for (let n = 0; n < 6; n += 1)
      await test.query(`select interlock.register_agent('flaps', '{default}', 1, p_host => 'box', p_pid => $1)`, [n])
    expect((await examine(test.url)).found.returning).toMatchObject([
      { what: 'agent flaps was registered 6 times within the hour, by 6 processes' },
    ])
  })

  it('finds this machine’s clock an hour off', async () => {
    const test = await createTestDatabase()
    const preload = new URL('../fixtures/fault/wrong-clock.ts', import.meta.url).href
    const { found } = await examine(test.url, { NODE_OPTIONS: `--import=${preload}?hours=1` })
    expect(found).toMatchObject({
      clocks: [{ what: expect.stringMatching(/clock is 36\d\d\.\d s ahead of the database's/) }],
    })
  })

  it('finds transactions that keep the server from cleaning up', async () => {
    const test = await createTestDatabase()
    const connection = await test.database.connect({ applicationName: 'forgotten' })
    await connection.query('begin isolation level repeatable read')
    await connection.query('select 1')
    // The doctor itself waits a minute before it says so.
    const found = await waitFor(async () => (await checkOldSnapshots(test.database, 0.2))[0], {
      what: 'it to be found',
    })
    expect(found).toMatchObject({
      severity: 'warning',
      what: expect.stringMatching(/^for \d+ s nothing that died is cleaned up: session \d+, forgotten /),
      remedy: `select pg_terminate_backend(${connection.processId})`,
    })
    await connection.close()
  })

  it('--after-restore first raises tokens and fences above all that was handed out, and says so', async () => {
    const test = await createTestDatabase()
    const next = async () => {
      const [row] = await test.query<{ value: number }>(`select nextval('interlock.grant_numbers')::int8 as value`)
      return Number(row?.value)
    }
    const before = await next()
    const { stdout } = await runCli(['doctor', '--after-restore', '--above', '5000000000'], {
      env: { DATABASE_URL: test.url },
    })
    expect(stdout).toMatch(/^raised {3}grant_numbers: \d+ -> \d+$/m)
    expect(before).toBeLessThan(1_000_000)
    expect(await next()).toBeGreaterThan(5_000_000_000)
  })

  it('names what is wrong with the configuration, and ends with 7', async () => {
    const cwd = await temporaryFolder({ 'interlock.toml': '[http]\nport = "x"\n' })
    const { code, stdout } = await runCli(['doctor'], { cwd })
    expect(code).toBe(7)
    expect(stdout).toMatch(/^problem {2}configuration: .*http\.port/m)
  })

  it('ends with 6 where nothing answers, and with 2 where no database is named', async () => {
    const nowhere = await runCli(['doctor', '--database-url', 'postgres://nobody@127.0.0.1:64999/nothing'])
    expect(nowhere).toMatchObject({ code: 6, stdout: '' })
    expect(await runCli(['doctor'])).toMatchObject({ code: 2, stdout: '' })
  })

  it('changes nothing', async () => {
    const test = await createTestDatabase()
    await test.query(`alter database ${test.name} set default_transaction_read_only = on`)
    const { found } = await examine(test.url)
    expect(found).toEqual({})
  })
})
