import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { schemaText, undocumented } from '../scripts/schema-text.ts'
import { createTestDatabase, type TestDatabase } from './support/test-database.ts'

let test: TestDatabase

beforeAll(async () => {
  test = await createTestDatabase()
})

describe('the schema', () => {
  it.skipIf(inject('serverMajor') !== 18)('is what sql/schema.sql says (`npm run schema` writes it)', async () => {
    const file = fileURLToPath(new URL('../sql/schema.sql', import.meta.url))
    expect(await readFile(file, 'utf8')).toBe(await schemaText(test.database))
  })

  it('explains every table, column, view, sequence, domain and function in a COMMENT', async () => {
    expect(await undocumented(test.database)).toEqual([])
  })

  it('pins the search path of every function that is installed with the program', async () => {
    const loose = await test.query(
      `select p.oid::regprocedure::text as name
       from pg_proc as p
       where p.pronamespace = 'interlock'::regnamespace
         and p.prolang <> (select oid from pg_language where lanname = 'sql')
         and not exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%')
         and p.proname not in ('refuse_change', 'refuse_transition')
       order by 1`,
    )
    expect(loose).toEqual([])
  })
})
