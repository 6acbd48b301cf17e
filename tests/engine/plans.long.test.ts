import { expect, test } from 'vitest'
import { type Statistics, tooMuch, touchedBehind } from './buffers.ts'
import { EngineWorld } from './engine-world.ts'

const rows = Number(process.env.INTERLOCK_ROWS ?? 1_000_000)

test.each<Statistics>(['absent', 'stale', 'fresh'])(
  `behind ${rows} waiting jobs, with %s statistics, the hot verbs touch no more buffers than behind 1,000`,
  async (statistics) => {
    const world = await EngineWorld.create()
    const touched = await touchedBehind(world, rows, statistics)
    console.log(statistics, JSON.stringify(touched))
    expect(tooMuch(touched)).toEqual([])
  },
)
