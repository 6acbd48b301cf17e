import { expect, test } from 'vitest'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Database } from '../../src/store/database.ts'
import { Ringer } from '../../src/worker/ringer.ts'
import { Line } from '../support/line.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

// graphile-worker then gives the connection back twice, out of the reach of any catch: the process would end in disorder.
test('a coordinator whose LISTEN is never answered stops in order', async () => {
  const rejections: unknown[] = []
  const onRejection = (reason: unknown) => rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  const db = await createTestDatabase()
  const line = await Line.lay(db.url)
  const database = new Database({ url: line.urlOf(db.url), applicationName: 'tests' })
  line.muteAfter(/listen "jobs:insert"/i)
  const ringer = new Ringer({ database, logger: createSilentLogger(), tasks: {}, crontab: [] })
  await ringer.migrate()
  await ringer.start()
  await waitFor(() => line.mutes === 1, { what: 'the LISTEN to be swallowed' })
  await ringer.stop()
  await database.end()
  await line.close()
  // A rejection that nobody looked at is told of after the microtasks of its turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', onRejection)
  expect(rejections).toEqual([])
})
