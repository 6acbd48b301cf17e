import { beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld
beforeAll(async () => {
  world = await EngineWorld.create()
})

const delays = async (given: unknown) => {
  const [row] = await world.query<{ delays: readonly number[] | null }>(
    'select interlock.retry_delays($1::jsonb) as delays',
    [JSON.stringify(given)],
  )
  return row?.delays
}

describe('retry_delays', () => {
  test.each([
    [[], []],
    [
      [60, 180],
      [60, 180],
    ],
    [{ exponential: { first_seconds: 10, factor: 2, max_seconds: 60 } }, [10, 20, 40, 60]],
    [{ exponential: { first_seconds: 10, factor: 1 } }, [10]],
    [{ exponential: { first_seconds: 1, factor: 1.5, max_seconds: 3 } }, [1, 2, 2, 3]],
    [{ exponential: { first_seconds: 1000 } }, [1000, 2000, 3600]],
    [{ exponential: { first_seconds: 5000 } }, [5000]],
  ])('writes %j out as %j', async (given, list) => {
    expect(await delays(given)).toEqual(list)
  })

  test.each([
    ['a word'],
    [{}],
    [[-1]],
    [[1.5]],
    [{ exponential: 10 }],
    [{ exponential: {} }],
    [{ exponential: { first_seconds: 0 } }],
    [{ exponential: { first_seconds: 10, factor: 0.5 } }],
    [{ exponential: { first_seconds: 10, factor: 101 } }],
    [{ exponential: { first_seconds: 10, max_seconds: 5 } }],
    [{ exponential: { first_seconds: 10, growth: 2 } }],
    [{ exponential: { first_seconds: 10 }, jitter: true }],
  ])('takes %j for no waits, and so do a job and a queue', async (given) => {
    expect(await delays(given)).toBeNull()
    const refusal = { code: 'invalid_argument', field: 'retry_delays_seconds' }
    const settings = JSON.stringify({ retry_delays_seconds: given })
    expect(await world.refusal(`select interlock.set_queue('default', $1::jsonb)`, [settings])).toEqual(refusal)
    const job = JSON.stringify([{ task: 'work', retry_delays_seconds: given }])
    expect(await world.refusal('select interlock.enqueue_jobs($1::jsonb)', [job])).toEqual(refusal)
  })

  test('of a job are waited between its attempts', async () => {
    const [id = ''] = await world.enqueue({
      retry_delays_seconds: { exponential: { first_seconds: 10, factor: 3 } },
      max_attempts: 3,
    })
    for (const wait of [10, 30]) {
      const [job] = await world.claim()
      if (job === undefined) throw new Error('nothing to claim')
      expect(await world.fail(job)).toBe('scheduled')
      const [row] = await world.query<{ wait: number }>(
        'select round(extract(epoch from run_at - interlock.clock()))::integer as wait from interlock.jobs where id = $1',
        [id],
      )
      expect(row?.wait).toBe(wait)
      await world.test.advanceClock(wait + 1)
      await world.query('select interlock.promote_due_jobs()')
    }
  })
})
