import { beforeEach, describe, expect, test } from 'vitest'
import { type Assigned, EngineWorld } from './engine-world.ts'

describe('reservations', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  const tick = () => world.query('select * from interlock.wake_patient_lanes()')

  /** Saturating streams on A and on B, whose jobs never end at the same time, and a gang that needs both. */
  async function turnsUntilGang(patienceSeconds: number | 'Infinity', turns: number): Promise<number | null> {
    await world.query(`select interlock.set_queue('default', $1)`, [{ patience_seconds: patienceSeconds }])
    const running: Assigned[] = []
    const stream = async (model: string, n: number) => world.enqueue({ id: `${model}${n}`, models: [model] })
    await stream('A', 0)
    await stream('B', 0)
    running.push(...(await world.claim()))
    await world.enqueue({ id: 'gang', models: ['A', 'B'], priority: 'critical' })
    for (let turn = 1; turn <= turns; turn++) {
      await world.test.advanceClock(1)
      const model = turn % 2 === 0 ? 'A' : 'B'
      await stream(model, turn)
      await tick()
      running.push(...(await world.claim()))
      const ending = running.findIndex((job) => job.resources.includes(`model:${model}`))
      if (ending >= 0) await world.complete(...running.splice(ending, 1))
      running.push(...(await world.claim()))
      expect(await world.violations()).toEqual([])
      if (running.some((job) => job.job_id === 'gang')) return turn
    }
    return null
  }

  test('without patience to end, a gang starves behind streams of single jobs (so the next test can fail)', async () => {
    expect(await turnsUntilGang('Infinity', 30)).toBeNull()
  })

  test('a gang starts within its patience and one running time for each resource', async () => {
    expect(await turnsUntilGang(5, 30)).toBeLessThanOrEqual(5 + 4)
  })

  test('only who is next in line reserves: a quick job of a user far back in a long line is not held up', async () => {
    await world.query(`select interlock.set_queue('default', '{"patience_seconds": 1}')`)
    await world.enqueue({ id: 'holder', models: ['slow'] })
    await world.claim()
    await world.enqueue(
      { id: 'senior', user: 'bob', models: ['slow'] },
      { id: 'alice-slow', user: 'alice', models: ['slow'] },
    )
    await world.claim()
    await world.test.advanceClock(10)
    await tick()
    await world.claim()
    await world.enqueue({ id: 'quick', user: 'alice' }, { id: 'bob-quick', user: 'bob' })
    expect(await world.claimedIds()).toEqual(['quick'])
    expect(
      await world.query(`select resource from interlock.job_queue_state where reserved_lane_id is not null`),
    ).toEqual([{ resource: 'user:bob' }])
    expect(await world.query(`select interlock.explain_job('bob-quick') ->> 'sentence' as sentence`)).toMatchObject([
      { sentence: expect.stringContaining('reserved for job senior of bob') },
    ])
  })

  test('stop_reserving gives back what a lane of a route without agents holds, and the others start', async () => {
    await world.query(`select interlock.set_queue('default', '{"patience_seconds": 1}')`)
    await world.enqueue({ id: 'holder', models: ['slow'] })
    const holder = await world.claim()
    await world.enqueue({ id: 'gang', user: 'bob', models: ['slow'] })
    await world.claim()
    await world.test.advanceClock(10)
    await tick()
    await world.claim()
    await world.enqueue({ id: 'bob-low', user: 'bob', queue: 'low' })
    expect(await world.claimedIds()).toEqual([])
    await world.query(`select interlock.set_queue('default', '{"is_paused": true}')`)
    const [row] = await world.query<{ lanes: string[] }>('select interlock.unserved_reservers() as lanes')
    expect(row?.lanes).toHaveLength(1)
    await world.query('select interlock.stop_reserving($1)', [row?.lanes[0]])
    expect(await world.claimedIds()).toEqual(['bob-low'])
    await world.complete(...holder)
    expect(await world.violations()).toEqual([])
  })
})
