import { expect, test } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { Line } from '../support/line.ts'
import { createTestDatabase } from '../support/test-database.ts'

test('a query for which no connection is free takes the one that is given back before a new one is open', async () => {
  const { url } = await createTestDatabase()
  const line = await Line.lay(url)
  const database = new Database({ url: line.urlOf(url), applicationName: 'given back', connectTimeoutSeconds: 2 })
  const pidOf = async (queryable: Pick<Database, 'query'>) =>
    (await queryable.query<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid
  const held = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const first = database.transaction(async (transaction) => {
    const pid = await pidOf(transaction)
    held.resolve()
    await asked.promise
    return pid
  })
  await held.promise
  // To open one takes several answers, and has the time for one.
  line.trouble({ kind: 'delay', ms: 1200, direction: 'to client' })
  const others = [pidOf(database), pidOf(database)]
  asked.resolve()
  const settled = await Promise.allSettled([first, ...others])
  expect(settled[1]).toEqual(settled[0])
  // The one behind it was not as lucky, and is told in time; the connection is whole for who comes next.
  expect(settled[2]).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
  line.heal()
  expect(await pidOf(database)).toBe(await first)
  await database.end()
  await line.close()
})
