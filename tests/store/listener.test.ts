import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { Listener } from '../../src/store/listener.ts'
import { Line } from '../support/line.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

let db: TestDatabase
let heard: string[]
let listened: number
let lost: unknown[]

function listenTo(database: Database, pingSeconds = 5): Listener {
  return new Listener({
    database,
    channels: { one: (payload) => heard.push(`one ${payload}`), two: (payload) => heard.push(`two ${payload}`) },
    onListening: () => {
      listened += 1
    },
    onLost: (error) => lost.push(error),
    pingSeconds,
  })
}

beforeEach(async () => {
  db = await createTestDatabase()
  heard = []
  listened = 0
  lost = []
})
afterEach(() => db.drop())

describe('a listener', () => {
  test('hears what is said on its channels from the moment that it says it listens', async () => {
    const listener = listenTo(db.database)
    listener.start()
    await waitFor(() => listened === 1, { what: 'the listener to listen' })
    await db.query(`select pg_notify('one', 'a'), pg_notify('other', 'b'), pg_notify('two', 'c')`)
    await waitFor(() => heard.length === 2, { what: 'two notifications' })
    expect(heard).toEqual(['one a', 'two c'])
    await listener.stop()
  })

  test('whose connection is killed says so, opens another and hears again', async () => {
    const listener = listenTo(db.database)
    listener.start()
    await waitFor(() => listened === 1, { what: 'the listener to listen' })
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and query like 'listen %'`,
      [db.name],
    )
    await waitFor(() => listened === 2, { what: 'the listener to listen again' })
    expect(lost).toHaveLength(1)
    expect(listener.isListening).toBe(true)
    await db.query(`select pg_notify('one', 'again')`)
    await waitFor(() => heard.length === 1, { what: 'a notification' })
    await listener.stop()
  })

  test('whose connection swallows every byte finds out by asking', async () => {
    const line = await Line.lay(db.url)
    const database = new Database({ url: line.urlOf(db.url), connectTimeoutSeconds: 1 })
    const listener = listenTo(database, 0.2)
    listener.start()
    await waitFor(() => listened === 1, { what: 'the listener to listen' })
    line.trouble({ kind: 'swallow', direction: 'both' })
    await waitFor(() => lost.length > 0, { what: 'the silence to be noticed', timeoutMs: 15_000 })
    expect(listener.isListening).toBe(false)
    expect(lost[0]).toMatchObject({ code: 'unavailable' })
    await line.close()
    await listener.stop()
    await database.end()
  })

  test('stops at once whatever it is doing: connecting, listening, or waiting to try again', async () => {
    const nowhere = new Database({ url: 'postgres://nobody@127.0.0.1:1/nothing' })
    for (const database of [db.database, nowhere]) {
      for (const pauseMs of [0, 1, 5, 20, 80]) {
        const listener = listenTo(database)
        listener.start()
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
        const startedMs = performance.now()
        await listener.stop()
        expect(performance.now() - startedMs).toBeLessThan(1000)
      }
    }
    await nowhere.end()
  })
})
