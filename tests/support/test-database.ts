import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { serverAt } from './test-server.ts'
import { waitFor } from './wait-for.ts'

export interface TestDatabaseOptions {
  /** `movable`: interlock.clock() is what it was plus what advanceClock() has added, and waits are what they are named. */
  readonly clock?: 'real' | 'movable'
  /** `expected`: the test breaks something on purpose, and the auditor may say so at the end. */
  readonly violations?: 'none' | 'expected'
  readonly poolSize?: number
}

export interface TestDatabase {
  readonly name: string
  readonly url: string
  readonly database: Database
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
  advanceClock(seconds: number): Promise<void>
  /** Drops it after checking what it leaves behind; done after each file for those that were not dropped. */
  drop(): Promise<void>
}

const opened = new Set<TestDatabase>()
let admin: Database | null = null

/** A migrated database of the test's own, a copy of the run's template; takes some 30 ms. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const failure = inject('templateError')
  if (failure !== null) throw new Error(`the template database could not be built: ${failure}`)
  const name = `interlock_test_${process.pid}_${randomBytes(5).toString('hex')}`
  // Copying files beats writing the copy to the log (Postgres 15 and later have the choice, 14 always copies).
  const strategy = inject('serverMajor') >= 15 ? ' strategy file_copy' : ''
  await administer(`create database ${name} template ${inject('templateName')}${strategy}`)
  const url = serverAt(inject('serverUrl')).url(name)
  const database = new Database({ url, applicationName: 'tests', poolSize: options.poolSize ?? 10 })
  if (options.clock === 'movable') await makeClockMovable(database)
  const test: TestDatabase = {
    name,
    url,
    database,
    query: (text, values) => database.query(text, values),
    async advanceClock(seconds) {
      if (options.clock !== 'movable') throw new Error('this database has the real clock')
      await database.query('update interlock_test.clock set ahead = ahead + make_interval(secs => $1)', [seconds])
    },
    async drop() {
      if (!opened.delete(test)) return
      try {
        if (options.violations !== 'expected') await expectNoViolations(url)
        await database.end()
        await expectNoConnections(name)
      } finally {
        await database.end()
        await administer(`drop database ${name} with (force)`)
      }
    },
  }
  opened.add(test)
  return test
}

/** An empty database without our schema, for tests of migrations. Checked and dropped in the same way. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `interlock_empty_${process.pid}_${randomBytes(5).toString('hex')}`
  await administer(`create database ${name}`)
  const url = serverAt(inject('serverUrl')).url(name)
  const database = new Database({ url, applicationName: 'tests' })
  const test: TestDatabase = {
    name,
    url,
    database,
    query: (text, values) => database.query(text, values),
    advanceClock: () => Promise.reject(new Error('this database has no clock')),
    async drop() {
      if (!opened.delete(test)) return
      await database.end()
      await expectNoConnections(name).finally(() => administer(`drop database ${name} with (force)`))
    },
  }
  opened.add(test)
  return test
}

/** Drops what a file's tests have left; called once after each file. */
export async function dropTestDatabases(): Promise<void> {
  const results = await Promise.allSettled([...opened].map((test) => test.drop()))
  await admin?.end()
  admin = null
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('\n'))
}

async function administer<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
  admin ??= new Database({ url: inject('serverUrl'), applicationName: 'tests: admin', poolSize: 1 })
  return admin.query<Row>(text, values)
}

async function makeClockMovable(database: Database): Promise<void> {
  await database.query(`
    create schema interlock_test;
    create table interlock_test.clock (ahead interval not null);
    insert into interlock_test.clock values ('0');
    create or replace function interlock.clock() returns timestamptz
    language sql volatile parallel safe
    as $$ select clock_timestamp() + (select ahead from interlock_test.clock) $$;
    create or replace function interlock.chance() returns double precision
    language sql volatile parallel safe
    as $$ select 0.5::float8 $$;
  `)
}

async function expectNoViolations(url: string): Promise<void> {
  // Without a time limit: it reads everything, which may be a million rows.
  const database = new Database({ url, applicationName: 'tests: auditor', poolSize: 1, statementTimeoutSeconds: 0 })
  try {
    await askAuditor(database)
  } finally {
    await database.end()
  }
}

async function askAuditor(database: Database): Promise<void> {
  const [view] = await database.query<{ exists: boolean }>(
    `select to_regclass('interlock.violations') is not null as exists`,
  )
  if (view?.exists !== true) return
  const violations = await database.query('select * from interlock.violations')
  if (violations.length > 0) {
    throw new Error(`the auditor finds violations:\n${violations.map((row) => JSON.stringify(row)).join('\n')}`)
  }
}

// A session ends a moment after its client has closed; one that stays was forgotten.
async function expectNoConnections(name: string): Promise<void> {
  let left: object[] = []
  const isClean = async () => {
    left = await administer(
      `select pid, application_name, state, left(query, 100) as query
       from pg_stat_activity
       where datname = $1 and backend_type = 'client backend'`,
      [name],
    )
    return left.length === 0
  }
  await waitFor(isClean, { timeoutMs: 3000, what: 'all connections to be closed' }).catch(() => {
    throw new Error(`connections were left open:\n${left.map((row) => JSON.stringify(row)).join('\n')}`)
  })
}
