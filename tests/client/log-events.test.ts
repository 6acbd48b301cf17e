import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../src/client/entry.ts'
import { waitFor } from '../support/wait-for.ts'
import { openTwoWays, type TwoWays, ways } from './two-ways.ts'

let world: TwoWays
beforeAll(async () => {
  world = await openTwoWays()
})
afterAll(() => world.close())

describe.each(ways)('events() of the log over %s', (way) => {
  let client: Client
  beforeAll(() => {
    client = world.clients[way]
  })

  it('come from a cursor on, each once, those that happen meanwhile as well, and only those that are wanted', async () => {
    const user = `ann-${way}`
    const job = await client.enqueue('work', {}, { user })
    await client.enqueue('work', {}, { user: `somebody-else-${way}` })
    const seen: string[] = []
    const cursors: string[] = []
    const reading = (async () => {
      for await (const { event_type, job_id, cursor, user: whose } of client.events({ since: 'start', user })) {
        expect([job_id, whose]).toEqual([job.id, user])
        cursors.push(cursor)
        if (seen.push(event_type) === 2) break
      }
    })()
    await waitFor(() => seen.length === 1, { what: 'the first event' })
    await client.cancel(job)
    await reading
    expect(seen).toEqual(['enqueued', 'cancelled'])
    for await (const { event_type } of client.events({ since: cursors[0] ?? '', event_types: ['cancelled'] })) {
      expect(event_type).toBe('cancelled')
      break
    }
  })

  it('refuse a cursor that is none', async () => {
    await expect(client.events({ since: 'nonsense!' }).next()).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  it('go on when the database lets go of the connections', async () => {
    const seen: (string | null)[] = []
    const reading = (async () => {
      for await (const { job_id } of client.events({ since: 'start', user: `cut-${way}` })) {
        if (seen.push(job_id) === 2) break
      }
    })()
    const one = await client.enqueue('work', {}, { user: `cut-${way}` })
    await waitFor(() => seen.length === 1, { what: 'the first event' })
    await world.test.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    )
    const two = await waitFor(() => client.enqueue('work', {}, { user: `cut-${way}` }), {
      what: 'the server to answer',
    })
    await reading
    expect(seen).toEqual([one.id, two.id])
  })
})
