import { beforeEach, describe, expect, test } from 'vitest'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

describe('a coordinator', () => {
  let world: EngineWorld
  let dispatcher: Dispatcher
  let ticker: Ticker
  beforeEach(async () => {
    world = await EngineWorld.create()
    dispatcher = new Dispatcher({ database: world.test.database })
    ticker = new Ticker({ database: world.test.database, dispatcher, logger: createSilentLogger() })
  })

  test('dispatch fills the agents of a route, and goes on to the next when one is full', async () => {
    await world.query('select * from interlock.end_agent($1)', [world.agent])
    await world.register('first', { slots: 2 })
    await world.register('second', { slots: 2 })
    await world.enqueue(...['a', 'b', 'c', 'd', 'e'].map((user) => ({ id: user, user })))
    expect(await dispatcher.dispatch('default/autonomous')).toBe(4)
    expect(
      await world.query('select active_jobs from interlock.agent_stats where state = $1 and name <> $2', [
        'active',
        'locks',
      ]),
    ).toEqual([{ active_jobs: 2 }, { active_jobs: 2 }])
  })

  test('dispatch insists on a contended lane: it waits for the lock that somebody has, and assigns its job', async () => {
    await world.enqueue({ id: 'job', user: 'alice' })
    const other = await world.test.database.connect()
    await other.query('begin')
    await other.query(`select pg_advisory_xact_lock(interlock.lock_key('user:alice'))`)
    const dispatched = dispatcher.dispatch('default/autonomous')
    await waitFor(
      async () =>
        (
          await world.query(
            `select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`,
          )
        ).length > 0,
      { what: 'the dispatch to wait for the lock of user:alice' },
    )
    await other.query('commit')
    await other.close()
    expect(await dispatched).toBe(1)
    expect(await world.status('job')).toBe('assigned')
  })

  test('a tick finds what no bell rang for: due jobs, lost agents, claims that nobody confirmed', async () => {
    await world.enqueue({ id: 'later', delay_seconds: 5 }, { id: 'now' })
    await world.claim()
    await world.test.advanceClock(11)
    await ticker.tick()
    expect(await world.timeline('now')).toEqual(['enqueued', 'assigned', 'returned', 'assigned'])
    expect(await world.timeline('later')).toEqual(['enqueued', 'due', 'assigned'])
    await world.test.advanceClock(3601)
    const other = await world.register('other')
    await ticker.tick()
    expect(await world.query('select distinct agent_id from interlock.jobs')).toEqual([{ agent_id: other }])
  })
})
