import { expect, test } from 'vitest'
import { sendHostileBodies } from './hostile-world.ts'

test('random and hostile bodies at HTTP, JSON-RPC and MCP are refused, change nothing, and cost little', async () => {
  const seed = 20_261
  const figures = await sendHostileBodies({ seed, count: 3000 })
  console.log(
    `seed ${seed}: ${figures.bodies} bodies, the dearest as ${figures.mostOrdinary.toFixed(1)} ordinary requests`,
  )
  expect(figures.complaints).toEqual([])
})
