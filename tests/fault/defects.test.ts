import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { build, defects } from '../../scripts/chaos/defects.ts'
import { copyProgram } from '../../scripts/chaos/program.ts'
import { type Verb, verbsQuery } from '../support/failpoints.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

// The long test lets the harness look for each of them; this one sees at once when a change of the program has made a
// seeded defect into none, which the long test would take for one that hides.
describe('a seeded defect is one in the program as it is', () => {
  let db: TestDatabase
  let healthy: readonly Verb[]
  beforeAll(async () => {
    db = await createTestDatabase()
    healthy = await db.query<Verb>(verbsQuery)
  })
  afterEach(async () => {
    for (const { definition } of healthy) await db.query(definition)
  })

  test.each(defects)('$name', async (defect) => {
    const { edits, onMigrated } = build(defect)
    await onMigrated(db.database)
    const verbs = await db.query<Verb>(verbsQuery)
    const program = await copyProgram(edits)
    await program.dispose()
    const known = new Map(healthy.map(({ name, definition }) => [name, definition]))
    const changed = verbs.filter(({ name, definition }) => (known.get(name) ?? definition) !== definition)
    expect(changed.length + edits.length).toBeGreaterThan(0)
  })
})
