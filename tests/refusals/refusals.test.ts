import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInterlockError } from '../../src/domain/errors.ts'
import { jobRequestFields } from '../../src/domain/job-request.ts'
import type { Connection } from '../../src/store/connection.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { badFields, badValues } from './bad-values.ts'
import { type Call, rightCalls } from './calls.ts'
import { setScene } from './scene.ts'

// Bad input has a named refusal at SQL's own door: a code of ours and, for what is wrong in itself, the field. What
// Postgres says by itself (a CHECK, a cast, a LIMIT below zero) names nothing that a caller could mend.

interface Argument {
  readonly verb: string
  readonly name: string
  readonly type: string
}

let session: Connection
let calls: Readonly<Record<string, Call>>
let signatures: readonly Argument[]

beforeAll(async () => {
  const world = await EngineWorld.create()
  calls = rightCalls(await setScene(world))
  session = await world.test.database.connect()
  signatures = await world.query<Argument & Record<string, unknown>>(
    `select p.proname as verb, a.name, format_type(a.type, null) as type
     from pg_proc as p
     cross join lateral unnest(p.proargtypes::oid[], p.proargnames[1:p.pronargs]) as a (type, name)
     where p.pronamespace = 'interlock'::regnamespace`,
  )
})

afterAll(() => session.close())

/** Calls it in a transaction that is rolled back. Answers with what is wrong with its refusal, if anything is. */
async function complaint(verb: string, call: Call): Promise<string | null> {
  const named = Object.entries(call).map(([name, value]) => `${name} => ${value}`)
  const text = `select * from interlock.${verb}(${named.join(', ')})`
  await session.query('begin')
  try {
    await session.query(text)
    return null
  } catch (error) {
    if (!isInterlockError(error)) throw error
    const isNamed = error.code !== 'invalid_argument' || error.field !== null
    if (isNamed && error.code !== 'internal' && error.code !== 'unavailable') return null
    return `${text.slice(0, 300)}: ${error.code}: ${error.message.slice(0, 200)}`
  } finally {
    await session.query('rollback')
  }
}

const verbs = (await readdir(new URL('../../sql/functions', import.meta.url)))
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.replace(/\.sql$/, ''))
  .sort()

describe('every verb', () => {
  test('has a right call here, with each of its arguments', () => {
    expect(Object.keys(calls).sort()).toEqual(verbs)
    for (const verb of verbs) {
      const names = signatures.filter((argument) => argument.verb === verb).map(({ name }) => name)
      expect(Object.keys(calls[verb] ?? {}).sort(), verb).toEqual(names.sort())
    }
  })

  // A verb of 25 arguments is asked seven hundred times.
  test.for(verbs)('%s refuses by name what is wrong', { timeout: 120_000 }, async (verb) => {
    const right = calls[verb] ?? {}
    const found = [await complaint(verb, right)]
    for (const { name, type } of signatures.filter((argument) => argument.verb === verb)) {
      for (const bad of badValues[type] ?? [`of ${type} there are no bad values here`]) {
        found.push(await complaint(verb, { ...right, [name]: `(${bad})::${type}` }))
      }
    }
    expect(found.filter((text) => text !== null)).toEqual([])
  })
})

test.for(Object.keys(jobRequestFields))('a job with a wrong %s is refused by name', async (field) => {
  const found: (string | null)[] = []
  for (const bad of badFields) {
    const job = field === 'task' ? `{"task": ${bad}}` : `{"task": "work", "${field}": ${bad}}`
    found.push(await complaint('enqueue_jobs', { p_jobs: `$json$[${job}]$json$` }))
    found.push(await complaint('enqueue_jobs', { p_jobs: `$json$[{"task": "work"}, ${job}]$json$` }))
  }
  expect(found.filter((text) => text !== null)).toEqual([])
})
