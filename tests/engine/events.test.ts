import type pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { defaultRetention, Pruner } from '../../src/coordinator/pruner.ts'
import type { EventPage, QueueEvent } from '../../src/domain/queue-event.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { EventFeed } from '../../src/store/event-feed.ts'
import { readEvents } from '../../src/store/event-page.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create({ clock: 'movable', poolSize: 45 })
  // The first doorbell of all makes the name of its task known, for which the next one waits.
  await world.enqueue({ id: 'bell' })
})

const read = (cursor: string | null, limit = 200, filter = {}) =>
  readEvents(world.test.database, { cursor, limit, ...filter })
/** Everything after a cursor, and the cursor behind it. */
const readAll = async (from: string, limit = 200): Promise<{ events: readonly QueueEvent[]; cursor: string }> => {
  const events: QueueEvent[] = []
  for (let cursor = from; ; ) {
    const page: EventPage = await read(cursor, limit)
    events.push(...page.events)
    cursor = page.next_cursor
    if (!page.more) return { events, cursor }
  }
}
const loggedIds = async (): Promise<readonly number[]> => {
  const rows = await world.query<{ id: number }>('select id from interlock.job_queue_log order by id')
  return rows.map(({ id }) => id)
}
const idsOf = (events: readonly QueueEvent[]) => events.map(({ id }) => id)
const sorted = (ids: readonly number[]) => ids.toSorted((a, b) => a - b)
const enqueueIn = (client: pg.ClientBase, ...ids: readonly string[]) =>
  client.query('select from interlock.enqueue_jobs($1)', [
    JSON.stringify(ids.map((id) => ({ id, task: 'work', queue: 'default' }))),
  ])
const withClients = async (count: number, use: (clients: readonly pg.PoolClient[]) => Promise<void>) => {
  const clients = await Promise.all(Array.from({ length: count }, () => world.test.database.pool.connect()))
  try {
    await use(clients)
  } finally {
    for (const client of clients) client.release()
  }
}
/** How many buffers a statement touches, once its plans are made. */
const buffersOf = async (text: string): Promise<number> => {
  const explained = async () => {
    const [row] = await world.query<{
      'QUERY PLAN': [{ Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }]
    }>(`explain (analyze, buffers, format json) ${text}`)
    const plan = row?.['QUERY PLAN'][0].Plan
    return (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0)
  }
  await explained()
  return explained()
}
/** The same numbers for the same seed. */
const random = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296
  return seed / 4_294_967_296
}

describe('read_events', () => {
  test('an event whose number was drawn first and whose transaction commits last comes last, and comes', async () => {
    const { next_cursor: start } = await read(null)
    await withClients(2, async ([first, second]) => {
      await first?.query('begin')
      await enqueueIn(first as pg.PoolClient, 'early')
      await enqueueIn(second as pg.PoolClient, 'late')
      const before = await readAll(start)
      expect(before.events.map((event) => event.job_id)).toEqual(['late'])
      await first?.query('commit')
      const after = await readAll(before.cursor)
      expect(after.events.map((event) => event.job_id)).toEqual(['early'])
      expect(after.events[0]?.id).toBeLessThan(before.events[0]?.id ?? 0)
      expect((await readAll(after.cursor)).events).toEqual([])
    })
  })

  test('600 transactions of 40 sessions that end in another order than they began, some never: a reader that comes and goes sees each line once', async () => {
    const { next_cursor: start } = await read(null)
    const before = new Set(await loggedIds())
    let isWriting = true
    const draw = random(7)
    const write = async (client: pg.PoolClient, n: number) => {
      for (let round = 0; round < 15; round++) {
        const id = `w${n}-${round}`
        await client.query('begin')
        await enqueueIn(client, `${id}-a`)
        if (draw() < 0.5) await client.query('savepoint s')
        await enqueueIn(client, ...Array.from({ length: Math.ceil(draw() * 4) }, (_, k) => `${id}-b${k}`))
        // Others begin and commit meanwhile: as many round trips as the dice say.
        for (let waits = Math.floor(draw() * 12); waits > 0; waits--) await client.query('select')
        await client.query(draw() < 0.15 ? 'rollback' : 'commit')
      }
    }
    const seen: QueueEvent[] = []
    let longest = 0
    const follow = async () => {
      let cursor = start
      for (let isLast = false; !isLast; ) {
        isLast = !isWriting
        for (let more = true; more; ) {
          const page = await read(cursor, 1 + Math.floor(draw() * 60))
          longest = Math.max(longest, page.next_cursor.length)
          // It is cut off anywhere in a page, and comes back with the last event that it has.
          const taken = draw() < 0.4 ? page.events.slice(0, Math.floor(draw() * page.events.length)) : page.events
          seen.push(...taken)
          more = page.more || taken.length < page.events.length
          cursor = taken.length < page.events.length ? (taken.at(-1)?.cursor ?? cursor) : page.next_cursor
        }
      }
    }
    await withClients(40, async (clients) => {
      const reader = follow()
      await Promise.all(clients.map(write)).finally(() => {
        isWriting = false
      })
      await reader
    })
    const written = (await loggedIds()).filter((id) => !before.has(id))
    expect(written.length).toBeGreaterThan(1200)
    expect(sorted(idsOf(seen))).toEqual(written)
    expect(idsOf(seen)).not.toEqual(written)
    expect(longest).toBeLessThan(1000)
  })

  test('who is far behind gets all, each job in its own order, whatever began early and ended late', async () => {
    const { next_cursor: start } = await read(null)
    await withClients(2, async ([long, short]) => {
      await long?.query('begin')
      await enqueueIn(long as pg.PoolClient, 'of-long')
      for (let n = 0; n < 320; n++) await enqueueIn(short as pg.PoolClient, `n${n}`)
      // It began before all of them, and ends what the last of them began.
      await long?.query(`select interlock.cancel_job('n319', 'too much')`)
      await long?.query('commit')
      for (let n = 320; n < 400; n++) await enqueueIn(short as pg.PoolClient, `n${n}`)
    })
    for (const limit of [7, 1000]) {
      const { events } = await readAll(start, limit)
      expect(events.map(({ job_id: id }) => id)).toHaveLength(402)
      expect(sorted(idsOf(events)).every((id, n, ids) => n === 0 || id > (ids[n - 1] ?? 0))).toBe(true)
      const ofLast = events.filter(({ job_id: id }) => id === 'n319').map((event) => event.event_type)
      expect(ofLast).toEqual(['enqueued', 'cancelled'])
      // A transaction is not torn apart by others.
      const ofLong = events.findIndex(({ job_id: id }) => id === 'of-long')
      expect(events[ofLong + 1]).toMatchObject({ job_id: 'n319', event_type: 'cancelled', task: 'work' })
    }
  })

  test('one transaction of more lines than a page comes whole, in order', async () => {
    const { next_cursor: start } = await read(null)
    await world.enqueue(...Array.from({ length: 2500 }, (_, n) => ({ id: `b${n}` })))
    const { events } = await readAll(start, 1000)
    expect(events.map(({ job_id: id }) => id)).toEqual(Array.from({ length: 2500 }, (_, n) => `b${n}`))
  })

  test('leaves out what is not asked for, and goes on behind it', async () => {
    const { next_cursor: start } = await read(null)
    await world.enqueue({ id: 'a', user: 'alice' }, { id: 'b', user: 'bob', queue: 'low' })
    await world.complete(...(await world.claim()))
    const typesFor = async (filter: object) => (await read(start, 200, filter)).events.map((e) => e.event_type)
    expect(await typesFor({ user: 'alice' })).toEqual(['enqueued', 'assigned', 'completed'])
    expect(await typesFor({ queue: 'low', event_types: ['completed'] })).toEqual(['completed'])
    expect(await typesFor({ job: 'b', event_types: ['enqueued', 'assigned'] })).toEqual(['enqueued', 'assigned'])
    const none = await read(start, 200, { user: 'nobody' })
    expect(none.events).toEqual([])
    expect((await readAll(none.next_cursor)).events).toEqual([])
  })

  test('costs what is new: not the length of the log, nor what came since a long transaction began', async () => {
    await withClients(1, async ([long]) => {
      await long?.query('begin')
      await enqueueIn(long as pg.PoolClient, 'open')
      const look = async (cursor: string) => buffersOf(`select from interlock.read_events('${cursor}')`)
      for (let n = 0; n < 20; n++) await world.enqueue(...Array.from({ length: 10 }, () => ({})))
      const short = await look((await readAll('start')).cursor)
      for (let n = 0; n < 300; n++) await world.enqueue(...Array.from({ length: 5 }, () => ({})))
      const full = await look((await readAll('start', 1000)).cursor)
      await long?.query('rollback')
      expect(full).toBeLessThan(short + 30)
    })
  })

  test('what the caller has not committed itself is read after it has', async () => {
    const { next_cursor: start } = await read(null)
    await withClients(1, async ([client]) => {
      await client?.query('begin')
      await enqueueIn(client as pg.PoolClient, 'mine')
      const inside = await client?.query('select events, next_cursor from interlock.read_events($1)', [start])
      expect(inside?.rows[0].events).toEqual([])
      await client?.query('commit')
      expect((await read(inside?.rows[0].next_cursor)).events).toMatchObject([{ job_id: 'mine' }])
    })
  })

  test('refuses what is no cursor, another level of isolation, and a limit beyond a thousand', async () => {
    const { next_cursor: good } = await read(null)
    for (const wrong of ['', 'x', '12', `${good}.1-1`, 'abcdef12.5-1-9']) {
      const refusal = await world.refusal('select interlock.read_events($1)', [wrong])
      expect(refusal).toEqual({ code: 'invalid_argument', field: 'cursor' })
    }
    expect(await world.refusal('select interlock.read_events(p_limit => 1001)')).toMatchObject({ field: 'limit' })
    await withClients(1, async ([client]) => {
      await client?.query('begin isolation level repeatable read')
      await expect(client?.query('select interlock.read_events()')).rejects.toMatchObject({ code: 'IL010' })
      await client?.query('rollback')
      await client?.query('begin read only')
      await client?.query('select interlock.read_events()')
      await client?.query('rollback')
    })
  })
})

describe('the end of a cursor', () => {
  const prune = () => new Pruner(world.test.database, { ...defaultRetention, logDays: 2 }, createSilentLogger()).prune()

  test('events that are no longer kept are not passed over in silence; what moves to its day is not shown again', async () => {
    const { next_cursor: old } = await read(null)
    await world.enqueue({ id: 'first' })
    const behind = await readAll(old)
    await world.query(`select interlock.ensure_partitions('job_queue_log', 2)`)
    expect((await readAll(behind.cursor)).events).toEqual([])
    expect((await readAll(old)).events).toHaveLength(1)
    await world.test.advanceClock(4 * 86_400)
    await world.query(`select interlock.ensure_partitions('job_queue_log', 2)`)
    await world.enqueue({ id: 'second' })
    await prune()
    expect(await world.refusal('select interlock.read_events($1)', [old])).toEqual({
      code: 'events_lost',
      field: 'cursor',
    })
    // Who had seen all that went has lost nothing.
    expect((await readAll(behind.cursor)).events.map(({ job_id: id }) => id)).toContain('second')
    expect((await readAll('start')).events.map(({ job_id: id }) => id)).toEqual(['second'])
  })

  test('of another database, or another server after a dump was restored, it is refused; what came with the dump is not shown as new', async () => {
    const other = await createTestDatabase()
    const { next_cursor: foreign } = await readEvents(other.database, { cursor: null, limit: 1 })
    expect(await world.refusal('select interlock.read_events($1)', [foreign])).toMatchObject({ code: 'events_lost' })
    // A dump brings the number of the former server, and lines of transactions that this one has yet to come to.
    await world.enqueue({ id: 'dumped' })
    await world.query(`set session_replication_role = replica; update interlock.job_queue_log
      set transaction_id = (pg_current_xact_id()::text::bigint + 3)::text::xid8; update interlock.installation set system_identifier = 1`)
    const { next_cursor: now } = await read(null)
    for (let n = 0; n < 5; n++) await world.enqueue({ id: `new${n}` })
    const ids = (await readAll(now)).events.map(({ job_id: id }) => id)
    expect(ids).toEqual(['new0', 'new1', 'new2', 'new3', 'new4'])
    expect((await readAll('start')).events.map(({ job_id: id }) => id)).toEqual(ids)
  })
})

describe('EventFeed', () => {
  test('readers from now on and from before come together, and each sees each event once; one look serves them all', async () => {
    const feed = new EventFeed(world.test.database)
    const stopping = new AbortController()
    const { next_cursor: start } = await read(null)
    await world.enqueue({ id: 'before' })
    const seen = { early: [] as string[], late: [] as string[], alice: [] as string[] }
    const follow = async (name: keyof typeof seen, cursor: string | null, filter = {}) => {
      const pages = feed.follow({ cursor, signal: stopping.signal, ...filter })
      await pages.next().then(({ value }) => {
        if (value) seen[name].push(...value.events.map((event: QueueEvent) => event.job_id ?? ''))
      })
      const rest = async () => {
        for await (const page of pages) seen[name].push(...page.events.map((event) => event.job_id ?? ''))
      }
      return { done: rest() }
    }
    const followers = [
      await follow('early', start),
      await follow('late', null),
      await follow('alice', start, { user: 'alice' }),
    ]
    for (let n = 0; n < 30; n++) await world.enqueue({ id: `f${n}`, user: n % 3 === 0 ? 'alice' : 'bob' })
    const all = Array.from({ length: 30 }, (_, n) => `f${n}`)
    await waitFor(() => seen.late.length >= 30 && seen.early.length >= 31 && seen.alice.length >= 10, {
      what: 'all events',
    })
    await feed.stop()
    await Promise.all(followers.map(({ done }) => done))
    expect(seen).toEqual({ early: ['before', ...all], late: all, alice: all.filter((_, n) => n % 3 === 0) })
  })
})
