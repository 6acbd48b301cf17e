import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { InterlockError } from '../domain/errors.ts'
import type { Database } from './database.ts'
import { grantRights, installSql, isChangeOfShape, readSqlSource, type SqlSource } from './installed-sql.ts'
import { compareVersions, programVersion } from './program-version.ts'
import { type Queryable, runQuery } from './queryable.ts'
import { retryTransient } from './retry.ts'
import { toInterlockError } from './sqlstate.ts'

// What the database is made of comes in two ways. Tables and indexes: migrations, each run once, never changed once
// released. Functions and views: their current text, put in place whole when its digest is not the installed one, and
// never by a program that is older than the one that installed it, so that a roll-out does not flap.

export interface MigrateOptions {
  /** Told in a sentence what is being done, where anything is. */
  readonly log?: (sentence: string) => void
  readonly signal?: AbortSignal
  /** Folder of the migrations and folder of functions/ and views/, for tests; the program's own unless set. */
  readonly migrationsFolder?: string
  readonly sqlFolder?: string
  readonly version?: string
}

export interface MigrateResult {
  readonly applied: readonly string[]
  readonly functionsInstalled: boolean
}

interface Program {
  readonly migrations: readonly string[]
  readonly migrationsFolder: string
  readonly sqlFolder: string
  readonly source: SqlSource
  readonly version: string
}

interface Installed {
  readonly migrations: readonly string[]
  readonly version: string | null
  readonly digest: string | null
}

// "interlock" in ASCII, cut to 63 bits: whoever migrates holds this advisory lock.
const migrationLock = '7597137923842241387'
const lockTimeoutMs = 2000

/**
 * Brings the database up to this program: creates the schema, runs the migrations that are missing, installs functions
 * and views. Any number of programs may call it at once; one does the work, the others wait and find it done. Throws
 * `schema_mismatch` when the database is newer than the program.
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<MigrateResult> {
  const program = await readProgram(options)
  if (isUpToDate(program, await readInstalled(database))) return { applied: [], functionsInstalled: false }
  const client = new pg.Client({
    connectionString: database.url,
    application_name: `${database.applicationName} migrate`,
    lock_timeout: lockTimeoutMs,
    keepAlive: true,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await takeTurn(queryableOver(client), options)
    return await bringUp(client, program, options)
  } catch (error) {
    throw toInterlockError(error)
  } finally {
    await client.end()
  }
}

export async function missingRoles(database: Queryable): Promise<readonly string[]> {
  const rows = await database.query<{ name: string }>(
    `select r.name
     from unnest('{interlock_owner,interlock_service,interlock_agent,interlock_reader}'::text[]) as r (name)
     where to_regrole(r.name) is null`,
  )
  return rows.map(({ name }) => name)
}

/**
 * Creates the four roles, where they do not exist, and gives them their rights. Needs the right to create roles, and to be
 * a member of interlock_owner (a superuser is of every role). May be called again, and beside others.
 */
export async function createRoles(database: Database, options: MigrateOptions = {}): Promise<void> {
  const { source, sqlFolder } = await readProgram(options)
  const creation = await readFile(join(sqlFolder, 'roles/create.sql'), 'utf8')
  await database.transaction(async (transaction) => {
    await transaction.query('select pg_advisory_xact_lock($1)', [migrationLock])
    await transaction.query(creation)
    await grantRights(transaction, source)
  })
}

/** The migrations of this program that the database lacks. Throws `schema_mismatch` when it is newer than the program. */
export async function pendingMigrations(database: Database, options: MigrateOptions = {}): Promise<readonly string[]> {
  const program = await readProgram(options)
  const installed = await readInstalled(database)
  refuseNewer(program, installed)
  return missing(program, installed)
}

export interface MigrationPlan {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  readonly installsFunctions: boolean
  /** The version of the program that installed the functions; null: nobody has. */
  readonly installedBy: string | null
}

/** What the database has, and what `migrate` would do now. Throws `schema_mismatch` when it is newer than the program. */
export async function planMigration(database: Database, options: MigrateOptions = {}): Promise<MigrationPlan> {
  const program = await readProgram(options)
  const installed = await readInstalled(database)
  refuseNewer(program, installed)
  return {
    applied: installed.migrations,
    pending: missing(program, installed),
    installsFunctions: installed.digest !== program.source.digest,
    installedBy: installed.version,
  }
}

/** Throws `schema_mismatch` unless the database is what this program needs. */
export async function checkSchema(database: Database, options: MigrateOptions = {}): Promise<void> {
  const pending = await pendingMigrations(database, options)
  const { digest } = await readInstalled(database)
  if (pending.length === 0 && digest !== null) return
  throw new InterlockError(
    'schema_mismatch',
    pending.length === 0 ? 'the database lacks the functions of Interlock' : `the database lacks ${pending.join(', ')}`,
    { hint: 'Run `interlock migrate up`.' },
  )
}

async function bringUp(client: pg.Client, program: Program, { log }: MigrateOptions): Promise<MigrateResult> {
  const queryable = queryableOver(client)
  const before = await readInstalled(queryable)
  refuseNewer(program, before)
  const applied = missing(program, before)
  for (const name of applied) {
    log?.(`migrating: ${name}`)
    await retryTransient(() => runNext(client, program.migrationsFolder), { attempts: 30, waitMs: 100 })
  }
  if (applied.length > 0) {
    await queryable.query(
      `comment on table interlock.migrations is 'One row is a migration that was run. Written by node-pg-migrate.'`,
    )
  }
  if (before.digest === program.source.digest) {
    const grant = () => grantRights(queryable, program.source)
    if (applied.length > 0) await retryTransient(grant, { attempts: 30, waitMs: 100 })
    return { applied, functionsInstalled: false }
  }
  log?.('installing functions and views')
  await install(queryable, program, 'replace').catch((error: unknown) => {
    if (!isChangeOfShape(error)) throw error
    return install(queryable, program, 'drop')
  })
  return { applied, functionsInstalled: true }
}

async function install(queryable: Queryable, program: Program, way: 'replace' | 'drop'): Promise<void> {
  await retryTransient(
    async () => {
      await queryable.query('begin')
      try {
        await installSql(queryable, program.source, way)
        await grantRights(queryable, program.source)
        await queryable.query(
          `insert into interlock.installation as i (program_version, functions_digest, installed_at)
           values ($1, $2, interlock.clock())
           on conflict (only_row) do update
           set program_version = excluded.program_version,
               functions_digest = excluded.functions_digest,
               installed_at = excluded.installed_at`,
          [program.version, program.source.digest],
        )
        await queryable.query('commit')
      } catch (error) {
        await queryable.query('rollback')
        throw error
      }
    },
    { attempts: 30, waitMs: 100 },
  )
}

// Loaded when there is something to run: most starts find nothing, and it takes longer to load than they take.
async function runNext(client: pg.Client, folder: string): Promise<void> {
  const { runner } = await import('node-pg-migrate')
  const silent = () => undefined
  try {
    await runner({
      dbClient: client,
      dir: folder,
      migrationsSchema: 'interlock',
      createMigrationsSchema: true,
      migrationsTable: 'migrations',
      direction: 'up',
      count: 1,
      singleTransaction: true,
      noLock: true,
      logger: { info: silent, warn: silent, error: silent },
    })
  } catch (error) {
    throw toInterlockError(error)
  }
}

// Asked again and again, not waited for in the server: a waiting statement would hold a snapshot, for which an index
// built concurrently by whoever has the lock would wait in turn.
async function takeTurn(queryable: Queryable, { log, signal }: MigrateOptions): Promise<void> {
  for (let asked = 1; ; asked += 1) {
    signal?.throwIfAborted()
    const [row] = await queryable.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [migrationLock])
    if (row?.mine === true) return
    if (asked === 20) log?.('another process is migrating this database; waiting for it')
    await sleep(25 + Math.random() * 50)
  }
}

async function readProgram(options: MigrateOptions): Promise<Program> {
  const fromRoot = (folder: string) => fileURLToPath(new URL(`../../${folder}`, import.meta.url))
  const migrationsFolder = options.migrationsFolder ?? fromRoot('migrations')
  const sqlFolder = options.sqlFolder ?? fromRoot('sql')
  const files = (await readdir(migrationsFolder)).filter((name) => name.endsWith('.sql')).sort()
  return {
    migrations: files.map((name) => basename(name, '.sql')),
    migrationsFolder,
    sqlFolder,
    source: await readSqlSource(sqlFolder),
    version: options.version ?? programVersion,
  }
}

async function readInstalled(queryable: Queryable): Promise<Installed> {
  const [found] = await queryable.query<{ migrations: boolean; installation: boolean }>(
    `select to_regclass('interlock.migrations') is not null as migrations,
            to_regclass('interlock.installation') is not null as installation`,
  )
  const migrations =
    found?.migrations === true
      ? await queryable.query<{ name: string }>('select name from interlock.migrations order by id')
      : []
  const [installation] =
    found?.installation === true
      ? await queryable.query<{ version: string; digest: string }>(
          'select program_version as version, functions_digest as digest from interlock.installation',
        )
      : []
  return {
    migrations: migrations.map(({ name }) => name),
    version: installation?.version ?? null,
    digest: installation?.digest ?? null,
  }
}

function missing(program: Program, installed: Installed): string[] {
  return program.migrations.filter((name) => !installed.migrations.includes(name))
}

function isUpToDate(program: Program, installed: Installed): boolean {
  refuseNewer(program, installed)
  return missing(program, installed).length === 0 && installed.digest === program.source.digest
}

function refuseNewer(program: Program, installed: Installed): void {
  const unknown = installed.migrations.find((name) => !program.migrations.includes(name))
  const isNewer = installed.version !== null && compareVersions(installed.version, program.version) > 0
  if (unknown === undefined && !isNewer) return
  const why = isNewer ? `${installed.version} installed it` : `it has the migration ${unknown}`
  throw new InterlockError('schema_mismatch', `the database is newer than this program, ${program.version}: ${why}`, {
    hint: 'Run the newer program.',
  })
}

function queryableOver(client: pg.Client): Queryable {
  return { query: (text, values, name) => runQuery(client, text, values, name) }
}
