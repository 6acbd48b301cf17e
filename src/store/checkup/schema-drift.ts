import { fileURLToPath } from 'node:url'
import { isInterlockError } from '../../domain/errors.ts'
import { type Finding, problem, warning } from '../../domain/finding.ts'
import type { Database } from '../database.ts'
import { readSqlSource, type SqlFile } from '../installed-sql.ts'
import { planMigration } from '../migrations.ts'
import { programVersion } from '../program-version.ts'
import type { Queryable } from '../queryable.ts'

interface Body {
  readonly name: string
  readonly body: string
}

/** Whether the database has what this program would install, and nobody has changed it by hand. */
export async function checkSchemaDrift(database: Database): Promise<readonly Finding[]> {
  try {
    const { pending, installsFunctions, installedBy } = await planMigration(database)
    if (pending.length > 0) {
      return [problem(`the database lacks ${pending.join(', ')}`, 'interlock migrate up')]
    }
    if (installsFunctions) {
      const what = `the functions and views are those of version ${installedBy ?? 'unknown'}, not of this program (${programVersion})`
      return [warning(what, 'interlock migrate up, unless a roll-out is under way')]
    }
  } catch (error) {
    if (!isInterlockError(error, 'schema_mismatch')) throw error
    return [problem(error.message, error.hint ?? 'run the newer program')]
  }
  return [...(await changedFunctions(database)), ...(await brokenObjects(database))]
}

// The text between the dollars is kept as it was written: what differs was changed behind the migrations' back.
async function changedFunctions(database: Queryable): Promise<readonly Finding[]> {
  const { functions, views } = await readSqlSource(fileURLToPath(new URL('../../../sql', import.meta.url)))
  const expected = functions.flatMap(bodiesOf)
  const installed = await database.query<Body>(
    `select p.proname as name, p.prosrc as body from pg_proc as p where p.pronamespace = 'interlock'::regnamespace`,
  )
  const changed = expected.filter(
    ({ name, body }) => !installed.some((one) => one.name === name && one.body.trim() === body.trim()),
  )
  const missing = await database.query<{ name: string }>(
    `select v.name from unnest($1::text[]) as v (name) where to_regclass('interlock.' || v.name) is null`,
    [views.map(({ name }) => name)],
  )
  return [
    ...changed.map(({ name }) => {
      const isThere = installed.some((one) => one.name === name)
      return problem(`the function interlock.${name}() ${isThere ? 'was changed by hand' : 'is not there'}`, reinstall)
    }),
    ...missing.map(({ name }) => problem(`the view interlock.${name} is not there`, reinstall)),
  ]
}

const reinstall = `update interlock.installation set functions_digest = ''; then: interlock migrate up`

function bodiesOf({ text }: SqlFile): readonly Body[] {
  const definitions = text.matchAll(
    /^create (?:or replace )?function interlock\.(\w+)[\s\S]*?\bas \$\$([\s\S]*?)\$\$/gim,
  )
  return [...definitions].map(([, name = '', body = '']) => ({ name, body }))
}

async function brokenObjects(database: Queryable): Promise<readonly Finding[]> {
  const rows = await database.query<{ what: string; remedy: string }>(
    `select format('the index %s is not valid: it is kept up and never used', i.indexrelid::regclass) as what,
            format('reindex index concurrently %s', i.indexrelid::regclass) as remedy
     from pg_index as i
     join pg_class as c on c.oid = i.indexrelid
     where c.relnamespace = 'interlock'::regnamespace and not i.indisvalid and c.relkind = 'i'
     union all
     select format('the trigger %s on %s is switched off: the log could be changed, or a transition be illegal', t.tgname, t.tgrelid::regclass),
            format('alter table %s enable trigger %I', t.tgrelid::regclass, t.tgname)
     from pg_trigger as t
     join pg_class as c on c.oid = t.tgrelid
     where c.relnamespace = 'interlock'::regnamespace and not t.tgisinternal and t.tgenabled = 'D'
     union all
     select format('the constraint %s of %s was never validated', k.conname, k.conrelid::regclass),
            format('alter table %s validate constraint %I', k.conrelid::regclass, k.conname)
     from pg_constraint as k
     where k.connamespace = 'interlock'::regnamespace and not k.convalidated`,
  )
  return rows.map(({ what, remedy }) => problem(what, remedy))
}
