import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { checkSchema, type MigrateOptions, migrate } from '../../src/store/migrations.ts'
import { programVersion } from '../../src/store/program-version.ts'
import { createCoordinator } from '../../src/worker/worker.ts'
import { brokenPromises, Load, nothingBroken } from '../support/load.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 20: a migration under load, and old and new programs on one database. What a migration does when it is refused,
// repeated, or older than the database: store/migrations.test.ts.

const root = fileURLToPath(new URL('../..', import.meta.url))
/** What a migration waits for a lock at most, and a little for the machine: longer than that nobody waits behind it. */
const waitMsMax = 2000 + 1500

let db: TestDatabase
let folder: string
let newer: Required<Pick<MigrateOptions, 'migrationsFolder' | 'sqlFolder' | 'version'>>

beforeEach(async () => {
  db = await createTestDatabase({ poolSize: 20 })
  folder = await mkdtemp(join(tmpdir(), 'interlock-newer-'))
  newer = {
    migrationsFolder: join(folder, 'migrations'),
    sqlFolder: join(folder, 'sql'),
    version: `${programVersion}0`,
  }
  await cp(join(root, 'migrations'), newer.migrationsFolder, { recursive: true })
  await cp(join(root, 'sql'), newer.sqlFolder, { recursive: true })
})

afterEach(() => rm(folder, { recursive: true, force: true }))

/** How long the longest call that was made meanwhile took, of those that everybody's work consists of. */
async function longestCall(until: Promise<unknown>): Promise<number> {
  let isOver = false
  const over = until.finally(() => {
    isOver = true
  })
  let longestMs = 0
  while (!isOver) {
    const startedMs = performance.now()
    await db.query('select interlock.absorb_touches(100)')
    await db.query(`select interlock.enqueue_jobs('[{"task": "probe", "queue": "low"}]')`)
    longestMs = Math.max(longestMs, performance.now() - startedMs)
  }
  await over
  return longestMs
}

test('a migration of the hottest table and of all functions under load loses nothing, and nobody waits beyond its lock_timeout', async () => {
  const coordinator = createCoordinator({ database: db.database, logger: createSilentLogger() })
  await coordinator.start()
  const load = new Load({ database: db.database, workers: 3 })
  await load.flows(300)
  await writeFile(
    join(newer.migrationsFolder, '0999_wider.sql'),
    `-- Up Migration
alter table interlock.jobs add column note text not null default '';
comment on column interlock.jobs.note is 'Of a test.';
alter table interlock.job_queue_state add column note text;
-- Down Migration
select 1;
`,
  )
  const verb = join(newer.sqlFolder, 'functions', 'complete_jobs.sql')
  await writeFile(verb, (await readFile(verb, 'utf8')).replace('comment on function', '-- newer\ncomment on function'))
  const said: string[] = []
  // Somebody reads the table for as long as a report takes: the migration steps back from behind it, again and again.
  const reader = await db.database.connect()
  await reader.query('begin')
  await reader.query('lock table interlock.jobs in access share mode')
  const migrating = migrate(db.database, { ...newer, log: (sentence) => said.push(sentence) })
  const waits = async () =>
    (
      await db.query(
        `select from pg_stat_activity where datname = current_database() and application_name ~ 'migrate' and wait_event_type = 'Lock'`,
      )
    ).length > 0
  const longest = longestCall(migrating)
  await waitFor(waits, { what: 'the migration to wait for the lock' })
  await waitFor(async () => !(await waits()), { what: 'the migration to step back' })
  await reader.query('commit')
  await reader.close()
  expect(await migrating).toEqual({ applied: ['0999_wider'], functionsInstalled: true })
  const longestMs = await longest
  expect(longestMs).toBeLessThan(waitMsMax)
  await load.flows(300)
  await load.drain()
  expect(load.failures).toEqual([])
  expect(await brokenPromises(db.database, load)).toEqual(nothingBroken)
  await coordinator.stop()
  console.log(`${said.join(', ')}; ${load.completed.size} jobs; the longest call meanwhile ${Math.round(longestMs)} ms`)
})

test('a program that is older than the database goes on running, and is refused by name when it starts anew; one that is newer waits for its migration', async () => {
  const load = new Load({ database: db.database })
  await load.flows(100)
  await writeFile(
    join(newer.migrationsFolder, '0999_more.sql'),
    '-- Up Migration\ncreate table interlock.more (id int);\n-- Down Migration\nselect 1;\n',
  )
  await expect(checkSchema(db.database, newer)).rejects.toMatchObject({
    code: 'schema_mismatch',
    message: 'the database lacks 0999_more',
    hint: 'Run `interlock migrate up`.',
  })
  await migrate(db.database, newer)
  await checkSchema(db.database, newer)
  // The old ones run: nobody puts their functions back.
  await load.flows(100)
  const refusal = { code: 'schema_mismatch', message: expect.stringContaining('newer than this program') }
  await expect(checkSchema(db.database)).rejects.toMatchObject(refusal)
  await expect(migrate(db.database)).rejects.toMatchObject(refusal)
  await load.flows(100)
  await load.drain()
  expect(load.failures).toEqual([])
  expect(await brokenPromises(db.database, load)).toEqual(nothingBroken)
})
