import { expect, test } from 'vitest'
import { sendHostileBodies } from './hostile-world.ts'

test('100,000 random and hostile bodies at HTTP, JSON-RPC and MCP are refused, change nothing, and cost little', async () => {
  const seed = Math.floor(Math.random() * 1e9)
  const figures = await sendHostileBodies({ seed, count: 100_000 })
  console.log(
    `seed ${seed}: ${figures.bodies} bodies, the dearest as ${figures.mostOrdinary.toFixed(1)} ordinary requests`,
  )
  expect(figures.complaints).toEqual([])
}, 3_600_000)
