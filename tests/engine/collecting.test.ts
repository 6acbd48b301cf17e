import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

describe('collect_idle', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  /** Rounds of a few rows each, from where the last one stopped, until it begins again. */
  async function collectAll(limit: number): Promise<{ lanes: number; slots: number }> {
    const sum = { lanes: 0, slots: 0 }
    let lane = '00000000-0000-0000-0000-000000000000'
    let resource = ''
    for (let round = 0; round < 100; round++) {
      const [row] = await world.query<{ lanes: number; slots: number; next_lane: string; next_resource: string }>(
        'select * from interlock.collect_idle($1, $2, $3)',
        [lane, resource, limit],
      )
      if (row === undefined) throw new Error('collect_idle returned no row')
      sum.lanes += row.lanes
      sum.slots += row.slots
      lane = row.next_lane
      resource = row.next_resource
      if (lane === '00000000-0000-0000-0000-000000000000' && resource === '') return sum
    }
    throw new Error('collect_idle goes on without end')
  }

  test('takes what has been idle for a minute, in stretches, and nothing that is used or waits', async () => {
    const users = ['a', 'b', 'c', 'd', 'e']
    await world.enqueue(...users.map((user) => ({ id: user, user })))
    const jobs = await world.claim()
    await world.complete(...jobs.filter((job) => job.job_id !== 'c'))
    await world.enqueue({ id: 'c2', user: 'c' })
    await world.absorb()
    expect(await world.query('select resources from interlock.job_lanes')).toEqual([{ resources: ['user:c'] }])
    expect(await collectAll(2)).toEqual({ lanes: 0, slots: 0 })
    await world.test.advanceClock(61)
    expect(await collectAll(2)).toEqual({ lanes: 0, slots: 4 })
    expect(await world.query('select resource from interlock.job_queue_state')).toEqual([{ resource: 'user:c' }])
    expect(await world.query('select resources from interlock.job_lanes')).toEqual([{ resources: ['user:c'] }])
    expect(await world.violations()).toEqual([])
  })

  test('takes a lane that cancels emptied while it waited', async () => {
    await world.enqueue({ id: 'holds', user: 'alice' }, { id: 'waits', user: 'alice', models: ['flux-dev'] })
    expect(await world.claimedIds()).toEqual(['holds'])
    await world.query(`select * from interlock.cancel_job('waits', 'not wanted')`)
    await world.absorb()
    expect(await collectAll(2)).toMatchObject({ lanes: 1 })
    expect(await world.query('select resources from interlock.job_lanes')).toEqual([])
    expect(await world.violations()).toEqual([])
  })

  test('what was collected is made again by whoever needs it', async () => {
    await world.enqueue({ id: 'first', user: 'alice' })
    await world.complete(...(await world.claim()))
    await world.test.advanceClock(61)
    await collectAll(1000)
    await world.enqueue({ id: 'second', user: 'alice' })
    expect(await world.claimedIds()).toEqual(['second'])
  })
})
