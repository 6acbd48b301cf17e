import { expect, it } from 'vitest'
import { EngineWorld } from './engine-world.ts'

/** The tick's part of it. */
async function settle(world: EngineWorld): Promise<void> {
  for (;;) {
    const [row] = await world.query<{ more: boolean }>('select more from interlock.settle_dependents()')
    if (row?.more !== true) return
  }
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n + 1)

/** Enqueued in batches, as a verb takes no more than 10,000 jobs. */
async function enqueueAll(world: EngineWorld, jobs: readonly Record<string, unknown>[]): Promise<void> {
  for (let from = 0; from < jobs.length; from += 1000) await world.enqueue(...jobs.slice(from, from + 1000))
}

/** That the work is done in bounded pieces, however wide or long. */
export function testManyDependents({
  children: count,
  chain,
}: {
  readonly children: number
  readonly chain: number
}): void {
  it(`${count} children of one parent: its end tells a hundred, and the tick the others in bounded pieces`, async () => {
    const world = await EngineWorld.create()
    await enqueueAll(world, [{ id: 'p' }, ...numbers(count).map((n) => ({ id: `c${n}`, depends_on: ['p'] }))])
    await settle(world)
    const [job] = await world.claim(1)
    if (job === undefined) throw new Error('the parent was not claimed')
    await world.complete(job)
    const countOf = async (status: string) => {
      const [row] = await world.query<{ n: number }>(
        'select count(*)::int as n from interlock.jobs where status = $1',
        [status],
      )
      return row?.n
    }
    expect(await countOf('pending')).toBe(100)
    expect(await world.query('select * from interlock.settle_dependents(1000)')).toEqual([{ told: 1000, more: true }])
    expect(await countOf('pending')).toBe(1100)
    await settle(world)
    expect([await countOf('pending'), await countOf('deferred')]).toEqual([count, 0])
  })

  it(`a chain of ${chain}: cancelling the first cancels all, each for its own parent, without recursion`, async () => {
    const world = await EngineWorld.create()
    await enqueueAll(world, [{ id: 'c0' }, ...numbers(chain).map((n) => ({ id: `c${n}`, depends_on: [`c${n - 1}`] }))])
    await settle(world)
    await world.query(`select interlock.cancel_job('c0')`)
    const [call] = await world.query<{ told: number; more: boolean }>('select * from interlock.settle_dependents(1000)')
    expect(call?.more).toBe(true)
    expect(call?.told).toBeLessThanOrEqual(1000)
    await settle(world)
    expect(await world.query('select count(*)::int as n from interlock.jobs')).toEqual([{ n: 0 }])
    expect(await world.query('select reason from interlock.task_history where job_id = $1', [`c${chain}`])).toEqual([
      { reason: `it depends on job c${chain - 1}, which was cancelled` },
    ])
  })
}
