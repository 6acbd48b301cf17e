import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

describe('the floors, below which nobody looks for awake lanes and touches', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  async function laneFloor(): Promise<{ rank: string; but: number }> {
    const [row] = await world.query<{ rank: string; but: number }>(
      `select rank::text, cardinality(but) as but from interlock.lane_floors where route = 'default/autonomous'`,
    )
    if (row === undefined) throw new Error('the route has no floor')
    return row
  }

  /** Is claimed, and so raises the floor above all that is older. */
  async function raiseLaneFloor(id: string): Promise<void> {
    await world.test.advanceClock(1)
    const before = await laneFloor()
    await world.enqueue({ id, user: id })
    expect(await world.claimedIds()).toEqual([id])
    expect((await laneFloor()).rank).not.toBe(before.rank)
  }

  test('a lane that is made awake by a transaction that had begun when the floor was raised is claimed', async () => {
    await world.enqueue({ id: 'old', user: 'ann', priority: 'critical' })
    const absorber = await world.test.database.connect()
    await absorber.query('begin')
    await absorber.query('select * from interlock.absorb_touches()')
    await raiseLaneFloor('new')
    expect((await laneFloor()).but).toBeGreaterThan(0)
    expect(await world.claimedIds()).toEqual([])
    await absorber.query('commit')
    await absorber.close()
    expect((await world.claimOnce()).jobs.map((job) => job.job_id)).toEqual(['old'])
  })

  test('lanes below the floor are claimed in order, before those above it', async () => {
    await raiseLaneFloor('first')
    await world.enqueue({ id: 'normal', user: 'cy' }, { id: 'critical', user: 'ann', priority: 'critical' })
    await world.enqueue({ id: 'high', user: 'bob', priority: 'high', queue: 'default' })
    expect(await world.claimedIds(1)).toEqual(['critical'])
    expect(await world.claimedIds(1)).toEqual(['high'])
    expect(await world.claimedIds(1)).toEqual(['normal'])
  })

  test('a lane that is woken long after the floor has passed it is claimed', async () => {
    await world.enqueue({ id: 'a', user: 'ann' }, { id: 'b', user: 'ann', models: ['flux'] })
    const first = await world.claim()
    expect(first.map((job) => job.job_id)).toEqual(['a'])
    await raiseLaneFloor('c')
    await raiseLaneFloor('d')
    await world.complete(...first)
    expect(await world.claimedIds()).toEqual(['b'])
  })

  test('a floor of another server is no floor', async () => {
    await raiseLaneFloor('first')
    await world.query(
      `update interlock.lane_floors set rank = 'infinity', below = '9223372036854775807', server_started_at = 'epoch'`,
    )
    await world.query(`update interlock.touch_floor set below = '9223372036854775807', server_started_at = 'epoch'`)
    await world.enqueue({ id: 'a', user: 'ann' })
    expect(await world.claimedIds()).toEqual(['a'])
    await world.query('select interlock.raise_touch_floor()')
    const [floor] = await world.query<{ is_sane: boolean }>(
      `select f.below <= pg_snapshot_xmax(pg_current_snapshot()) and l.below <= pg_snapshot_xmax(pg_current_snapshot()) as is_sane
       from interlock.touch_floor as f, interlock.lane_floors as l
       where l.route = 'default/autonomous'`,
    )
    expect(floor?.is_sane).toBe(true)
  })

  test('a touch of a transaction that had begun when the floor was raised is absorbed', async () => {
    // The first bell of a database waits for the one that makes the name of the task.
    await world.enqueue({ id: 'first' })
    const writer = await world.test.database.connect()
    await writer.query('begin')
    await writer.query(`select * from interlock.enqueue_jobs('[{"task": "work", "id": "late", "queue": "default"}]')`)
    await world.enqueue({ id: 'early' })
    expect(await world.claimedIds()).toEqual(['first', 'early'])
    await world.query('select interlock.raise_touch_floor()')
    // Not it alone: the server has other databases, and they may be writing.
    const [running] = await writer.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
    const [raised] = await world.query<{ but: string[] }>('select but::text[] as but from interlock.touch_floor')
    expect(raised?.but).toContain(running?.xid)
    await writer.query('commit')
    await writer.close()
    expect(await world.claimedIds()).toEqual(['late'])
  })

  test('whoever raises the floor and then enqueues, in one transaction, is heard', async () => {
    const both = await world.test.database.connect()
    await both.query('begin')
    await both.query('select pg_current_xact_id()')
    // Takes a number of its own, so that the next snapshots end above this one's.
    await world.query('select pg_current_xact_id()')
    await both.query('select interlock.raise_touch_floor()')
    await both.query(`select * from interlock.enqueue_jobs('[{"task": "work", "id": "late", "queue": "default"}]')`)
    await both.query('commit')
    await both.close()
    expect(await world.claimedIds()).toEqual(['late'])
  })
})
