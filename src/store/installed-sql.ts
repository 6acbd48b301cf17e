import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InterlockError } from '../domain/errors.ts'
import type { Queryable } from './queryable.ts'
import { sqlstateOf } from './sqlstate.ts'

/** One file of sql/functions or sql/views: the current text of what it is named after. */
export interface SqlFile {
  readonly name: string
  readonly path: string
  readonly text: string
}

export interface SqlSource {
  readonly functions: readonly SqlFile[]
  /** A view comes after those that it reads. */
  readonly views: readonly SqlFile[]
  /** What gives the roles their rights, where they exist; empty where the folder has no such file. */
  readonly grants: string
  readonly digest: string
}

/** Reads everything that is installed anew with each release from a folder with functions/ and views/ in it. */
export async function readSqlSource(folder: string): Promise<SqlSource> {
  const functions = await readSqlFiles(folder, 'functions')
  const views = sortByUse(await readSqlFiles(folder, 'views'))
  const grants = await readFile(join(folder, 'roles/grants.sql'), 'utf8').catch(() => '')
  const hash = createHash('sha256')
  for (const { path, text } of [...functions, ...views]) hash.update(`${path}\0${text}\0`)
  hash.update(grants)
  return { functions, views, grants, digest: hash.digest('hex') }
}

async function readSqlFiles(folder: string, kind: string): Promise<SqlFile[]> {
  const names = await readdir(join(folder, kind), { recursive: true }).catch(() => [])
  const paths = names.filter((name) => name.endsWith('.sql')).map((name) => `${kind}/${name}`)
  return Promise.all(
    paths.sort().map(async (path) => ({
      name: basename(path, '.sql'),
      path,
      text: await readFile(join(folder, path), 'utf8'),
    })),
  )
}

// Functions need no order, since their bodies are not looked into at creation; views do. A view that reads another
// names it in its text, and views that read each other cannot exist.
function sortByUse(views: readonly SqlFile[]): SqlFile[] {
  const sorted: SqlFile[] = []
  const visit = (view: SqlFile, path: readonly SqlFile[]): void => {
    if (sorted.includes(view) || path.includes(view)) return
    const used = views.filter(
      (other) => other !== view && new RegExp(`\\binterlock\\.${other.name}\\b`).test(view.text),
    )
    for (const other of used) visit(other, [...path, view])
    sorted.push(view)
  }
  for (const view of views) visit(view, [])
  return sorted
}

/**
 * Puts the functions and views in place, inside the caller's transaction. Replaced where their shape is the same: what
 * runs meanwhile goes on, and rights that were granted stay. `drop` says that a shape changed: then all go first.
 * A function of an old signature goes last. Functions that only migrations name are never touched.
 */
export async function installSql(queryable: Queryable, source: SqlSource, way: 'replace' | 'drop'): Promise<void> {
  const functionNames = definedFunctions(source)
  await queryable.query('set local check_function_bodies = off')
  try {
    if (way === 'drop') await dropAll(queryable, source, functionNames)
    for (const file of [...source.functions, ...source.views]) await install(queryable, file)
    await dropStaleFunctions(queryable, functionNames)
  } catch (error) {
    if (sqlstateOf(error) !== '2BP01') throw error
    const { detail } = (error as InterlockError).cause as { readonly detail?: string }
    throw new InterlockError(
      'schema_mismatch',
      `the functions and views cannot be installed: ${detail ?? String(error)}`,
      {
        hint: 'Drop what is not part of Interlock and depends on them; create it again afterwards.',
        cause: error,
      },
    )
  }
}

/**
 * Gives the roles their rights, in the caller's transaction; nothing happens where they do not exist. A function that was
 * dropped and created again is everybody's, and one that was replaced runs with its caller's rights: so after each of both.
 */
export async function grantRights(queryable: Queryable, { functions, grants }: SqlSource): Promise<void> {
  const verbs = functions.filter(({ path }) => /^functions\/\w+\.sql$/.test(path)).map(({ name }) => name)
  if (grants !== '')
    await queryable.query(grants.replace(`c_verbs constant text[] := '{}'`, `c_verbs constant text[] := '{${verbs}}'`))
}

/** Whether this failure means that something has to be dropped before it can be created in its new shape. */
export function isChangeOfShape(error: unknown): boolean {
  return ['42P13', '42P16', '42809'].includes(sqlstateOf(error) ?? '')
}

async function install(queryable: Queryable, file: SqlFile): Promise<void> {
  try {
    await queryable.query(file.text.replace(/^create (function|view) /gim, 'create or replace $1 '))
  } catch (error) {
    if (sqlstateOf(error) !== null) (error as Error).message += ` (sql/${file.path})`
    throw error
  }
}

function definedFunctions({ functions }: SqlSource): string[] {
  const names = functions.flatMap(({ text }) =>
    [...text.matchAll(/^create (?:or replace )?function interlock\.(\w+)/gim)].map((match) => match[1] ?? ''),
  )
  return [...new Set(names)]
}

async function dropAll(queryable: Queryable, { views }: SqlSource, functionNames: readonly string[]): Promise<void> {
  for (const view of views.toReversed()) await queryable.query(`drop view if exists interlock.${view.name}`)
  await dropFunctions(
    queryable,
    `select oid::regprocedure as signature
     from pg_proc
     where pronamespace = 'interlock'::regnamespace and proname = any ($1)`,
    functionNames,
  )
}

// What this transaction created or replaced bears its number; what bears another and has the same name is left over.
async function dropStaleFunctions(queryable: Queryable, functionNames: readonly string[]): Promise<void> {
  await dropFunctions(
    queryable,
    `select oid::regprocedure as signature
     from pg_proc
     where pronamespace = 'interlock'::regnamespace and proname = any ($1) and xmin <> pg_current_xact_id()::xid`,
    functionNames,
  )
}

async function dropFunctions(queryable: Queryable, which: string, names: readonly string[]): Promise<void> {
  for (const { signature } of await queryable.query<{ signature: string }>(which, [names])) {
    await queryable.query(`drop function ${signature}`)
  }
}
