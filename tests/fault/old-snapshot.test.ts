import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { createLogger } from '../../src/observability/logger.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { createTestDatabase } from '../support/test-database.ts'

// Fault 19: a transaction holds a snapshot for long, and nothing that has died since can be cleaned up. Here the alarm; what
// it costs claims is measured by `npm run bench -- --only soak`.

test('a transaction that has held a snapshot for a minute is named by /queue/health, by the log once, and not when it is over', async () => {
  const db = await createTestDatabase({ clock: 'movable' })
  const door = await openHttpDoor(db)
  const health = async () => (await door.get('/queue/health')).json
  const logged: Record<string, unknown>[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      logged.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const newTicker = () =>
    new Ticker({
      database: db.database,
      dispatcher: new Dispatcher({ database: db.database }),
      logger: createLogger({ destination }),
    })
  const warnings = () =>
    logged.filter(
      ({ msg, name }) => msg === 'the past is kept alive; claims slow down' && name === String(holder.processId),
    )

  const holder = await db.database.connect({ applicationName: 'forgotten report' })
  await holder.query('begin isolation level repeatable read')
  await holder.query('select count(*) from interlock.jobs')
  expect((await health()).reasons).toEqual([])
  await newTicker().tick()
  expect(warnings()).toEqual([])

  await db.advanceClock(90)
  // Polled: the clock was moved, so whoever asks something at the same moment seems to have asked for 90 s as well.
  await expect.poll(health).toMatchObject({
    status: 'degraded',
    reasons: [
      { code: 'old_snapshot', severity: 'degraded', message: expect.stringContaining(`session ${holder.processId}`) },
    ],
  })
  await expect.poll(async () => (await health()).reasons[0]?.message).toContain('forgotten report')
  const ticker = newTicker()
  await ticker.tick()
  await ticker.tick()
  expect(warnings()).toMatchObject([{ kind: 'session', name: String(holder.processId) }])

  await holder.query('rollback')
  await expect.poll(health).toMatchObject({ status: 'healthy', reasons: [] })
  await holder.close()
  await door.server.stop()
})
