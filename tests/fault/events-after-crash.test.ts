import { expect, test } from 'vitest'
import { readEvents } from '../../src/store/event-page.ts'
import { OwnServer } from '../support/own-server.ts'

// Fault 7, for who follows the events: a crash forgets the numbers of transactions that came to nothing and were not on
// disk yet, and the server gives them out again. A cursor that had counted them as seen would pass by whoever gets them.
const limit = 200

test.each(['from now on', 'after an event'])(
  'a cursor taken %s, before a crash, misses nothing that comes after it',
  async (when) => {
    // What nobody waits for is written at leisure: it is lost for sure.
    const server = await OwnServer.start({ settings: { wal_writer_delay: '10s' } })
    const before = server.open()
    const numberOf = async (database = before) =>
      (await database.query<{ n: string }>(`select pg_snapshot_xmax(pg_current_snapshot())::text as n`))[0]?.n ?? ''
    const enqueue = (id: string, database = before) =>
      database.query(`select * from interlock.enqueue_jobs($1)`, [JSON.stringify([{ id, task: 't' }])])

    const cursor = when === 'from now on' ? null : (await readEvents(before, { cursor: null, limit })).next_cursor
    if (cursor !== null) await enqueue('seen')
    await before.query('checkpoint')
    await enqueue('on-disk')
    for (let n = 0; n < 20; n += 1) {
      await before
        .query(`do $$ begin perform pg_current_xact_id(); raise exception 'nothing'; end $$`)
        .catch(() => null)
    }
    const page = await readEvents(before, { cursor, limit })
    const given = BigInt(await numberOf())
    await server.stopAtOnce()
    await server.startAgain()

    const after = server.open()
    expect(BigInt(await numberOf(after)), 'the numbers are given out again').toBeLessThan(given)
    await enqueue('after-the-crash', after)
    const next = await readEvents(after, { cursor: page.next_cursor, limit })
    expect(next.events.map(({ job_id, event_type }) => [job_id, event_type])).toEqual([['after-the-crash', 'enqueued']])
    await server.dispose()
  },
)
