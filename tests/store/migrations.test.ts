import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { checkSchema, type MigrateOptions, migrate, pendingMigrations } from '../../src/store/migrations.ts'
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

let test: TestDatabase
let folder: string
let program: Required<Pick<MigrateOptions, 'migrationsFolder' | 'sqlFolder' | 'version'>>

// A program of the test's own: the migrations as they are, and functions and views that the test writes.
beforeEach(async () => {
  test = await createEmptyDatabase()
  folder = await mkdtemp(join(tmpdir(), 'interlock-migrations-'))
  program = { migrationsFolder: join(folder, 'migrations'), sqlFolder: join(folder, 'sql'), version: '1.2.0' }
  await cp(join(root, 'migrations'), program.migrationsFolder, { recursive: true })
  await write('functions/answer.sql', functionText('answer()', 'select 41'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
  await test.drop()
})

async function write(path: string, text: string): Promise<void> {
  const file = join(program.sqlFolder, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, text)
}

function functionText(signature: string, body: string, returns = 'integer'): string {
  return `create function interlock.${signature} returns ${returns} language sql set search_path = '' as $$ ${body} $$;`
}

async function addMigration(name: string, text: string): Promise<void> {
  await writeFile(
    join(program.migrationsFolder, `${name}.sql`),
    `-- Up Migration\n${text}\n-- Down Migration\nselect 1;\n`,
  )
}

async function answer(call = 'answer()'): Promise<unknown> {
  const [row] = await test.query<{ answer: unknown }>(`select interlock.${call} as answer`)
  return row?.answer
}

describe('migrate', () => {
  it('is done once by one of 20 that start together, and found done by the others', async () => {
    const databases = Array.from({ length: 20 }, () => new Database({ url: test.url, poolSize: 1 }))
    const results = await Promise.all(databases.map((database) => migrate(database)))
    await Promise.all(databases.map((database) => database.end()))
    const workers = results.filter(({ applied, functionsInstalled }) => applied.length > 0 || functionsInstalled)
    const names = (await readdir(join(root, 'migrations'))).sort().map((file) => file.replace(/\.sql$/, ''))
    expect(workers).toEqual([{ applied: names, functionsInstalled: true }])
    expect(await test.query('select name from interlock.migrations order by id')).toEqual(
      names.map((name) => ({ name })),
    )
  })

  it('does nothing the second time', async () => {
    await migrate(test.database, program)
    expect(await migrate(test.database, program)).toEqual({ applied: [], functionsInstalled: false })
  })

  it('runs the migrations that are new, in order, and says so', async () => {
    await migrate(test.database, program)
    await addMigration('9003_third', 'alter table interlock.second add column b int;')
    await addMigration('9002_second', 'create table interlock.second (a int);')
    expect(await pendingMigrations(test.database, program)).toEqual(['9002_second', '9003_third'])
    const said: string[] = []
    const result = await migrate(test.database, { ...program, log: (sentence) => said.push(sentence) })
    expect(result.applied).toEqual(['9002_second', '9003_third'])
    expect(said).toEqual(['migrating: 9002_second', 'migrating: 9003_third'])
  })

  it('rolls a failing migration back whole, and can be repeated once it is mended', async () => {
    await addMigration('9002_second', 'create table interlock.second (a int); select 1 / 0;')
    await expect(migrate(test.database, program)).rejects.toThrow('division by zero')
    expect(await pendingMigrations(test.database, program)).toEqual(['9002_second'])
    await addMigration('9002_second', 'create table interlock.second (a int);')
    expect((await migrate(test.database, program)).applied).toEqual(['9002_second'])
  })

  it('does not queue for long behind a lock that others then queue behind; it steps back and tries again', async () => {
    await migrate(test.database, program)
    await addMigration('9002_second', 'alter table interlock.jobs add column extra int;')
    const waits = async () =>
      (await test.query(`select from pg_stat_activity where application_name ~ 'migrate' and wait_event_type = 'Lock'`))
        .length > 0
    let migrating: Promise<unknown> = Promise.resolve()
    await test.database.transaction(async (transaction) => {
      await transaction.query('lock table interlock.jobs in access share mode')
      migrating = migrate(test.database, program)
      await waitFor(waits, { what: 'the migration to wait for the lock' })
      await waitFor(async () => !(await waits()), { what: 'the migration to step back' })
    })
    expect(await migrating).toMatchObject({ applied: ['9002_second'] })
  })

  it('refuses a database with a migration that the program does not know', async () => {
    await addMigration('9002_second', 'create table interlock.second (a int);')
    await migrate(test.database, program)
    await rm(join(program.migrationsFolder, '9002_second.sql'))
    const refusal = { code: 'schema_mismatch', message: expect.stringContaining('it has the migration 9002_second') }
    await expect(migrate(test.database, program)).rejects.toMatchObject(refusal)
    await expect(checkSchema(test.database, program)).rejects.toMatchObject(refusal)
  })

  it('refuses a database whose functions a newer program installed, and leaves them', async () => {
    await migrate(test.database, program)
    await write('functions/answer.sql', functionText('answer()', 'select 40'))
    await expect(migrate(test.database, { ...program, version: '1.1.9' })).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: 'the database is newer than this program, 1.1.9: 1.2.0 installed it',
    })
    expect(await answer()).toBe(41)
  })
})

describe('functions and views', () => {
  it('are installed anew when their text changed', async () => {
    await migrate(test.database, program)
    await write('functions/answer.sql', functionText('answer()', 'select 42'))
    expect(await migrate(test.database, program)).toEqual({ applied: [], functionsInstalled: true })
    expect(await answer()).toBe(42)
  })

  it('keep their rights when only the body changed', async () => {
    await migrate(test.database, program)
    await test.query('revoke execute on function interlock.answer() from public')
    await write('functions/answer.sql', functionText('answer()', 'select 42'))
    await migrate(test.database, program)
    const [row] = await test.query(
      `select has_function_privilege('pg_monitor', 'interlock.answer()', 'execute') as allowed`,
    )
    expect(row).toEqual({ allowed: false })
  })

  it('leave no function of an old signature behind, which a call could mean as well', async () => {
    await migrate(test.database, program)
    await write('functions/answer.sql', functionText('answer(p_to text default null)', 'select 42'))
    await migrate(test.database, program)
    expect(await answer()).toBe(42)
  })

  it('may change what a function returns and which columns a view has', async () => {
    await write('views/numbers.sql', 'create view interlock.numbers as select interlock.answer() as number;')
    await write('views/more.sql', 'create view interlock.more as select number + 1 as number from interlock.numbers;')
    await migrate(test.database, program)
    await write('functions/answer.sql', functionText('answer()', `select 'forty-two'`, 'text'))
    await write('views/numbers.sql', 'create view interlock.numbers as select interlock.answer() as word;')
    await write('views/more.sql', 'create view interlock.more as select word as more from interlock.numbers;')
    await migrate(test.database, program)
    expect(await test.query('select more from interlock.more')).toEqual([{ more: 'forty-two' }])
  })

  it('leave alone what only a migration creates, such as the clock that a test has replaced', async () => {
    await migrate(test.database, program)
    await test.query(
      `create or replace function interlock.clock() returns timestamptz language sql as $$ select '2030-01-01Z'::timestamptz $$`,
    )
    await write('functions/answer.sql', functionText('answer()', `select '42'`, 'text'))
    await migrate(test.database, program)
    expect(await answer('clock()')).toEqual(new Date('2030-01-01Z'))
  })

  it('are all installed or none: a broken file changes nothing, and is named', async () => {
    await migrate(test.database, program)
    await write('functions/answer.sql', functionText('answer()', 'select 42'))
    await write('functions/broken.sql', 'create function interlock.broken( returns nonsense;')
    await expect(migrate(test.database, program)).rejects.toThrow('sql/functions/broken.sql')
    expect(await answer()).toBe(41)
  })

  it('say in a line what stands in the way of a view that has to be dropped', async () => {
    await write('views/numbers.sql', 'create view interlock.numbers as select 1 as number;')
    await migrate(test.database, program)
    await test.query('create view public.report as select number from interlock.numbers')
    await write('views/numbers.sql', `create view interlock.numbers as select 'one' as word;`)
    await expect(migrate(test.database, program)).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: expect.stringContaining('view report depends on view interlock.numbers'),
    })
  })
})

describe('checkSchema', () => {
  it('is content with a migrated database, and names what another one lacks', async () => {
    await expect(checkSchema(test.database, program)).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: expect.stringMatching(/^the database lacks 0001_foundations, 0002_/),
    })
    await migrate(test.database, program)
    await checkSchema(test.database, program)
  })
})
