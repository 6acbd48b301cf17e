import { expect, it } from 'vitest'
import { runCampaign } from './campaign.ts'

const count = Number(process.env.INTERLOCK_HISTORIES ?? 2000)
const first = Number(process.env.INTERLOCK_SEED ?? Math.floor(Math.random() * 1e9))

it(`${count} random histories keep to the rules while verbs are interrupted inside (from seed ${first})`, {
  timeout: 10 * 3600_000,
}, async () => {
  const startedAt = performance.now()
  console.log(`seeds ${first} to ${first + count - 1}; again by INTERLOCK_SEED=${first} INTERLOCK_HISTORIES=${count}`)
  const { failures, pauses, starts, histories } = await runCampaign({
    seeds: Array.from({ length: count }, (_, n) => first + n),
    databases: 2,
    failures: 3,
    onProgress: (done, failed) => {
      if (done % 100 !== 0) return
      const seconds = (performance.now() - startedAt) / 1000
      console.log(`${done} histories, ${failed} failed, ${(seconds / done).toFixed(2)} s each`)
    },
  })
  const interrupted = [...pauses.values()].reduce((sum, times) => sum + times, 0)
  console.log(`${histories} histories, ${starts} starts, ${interrupted} pauses at ${pauses.size} failpoints`)
  expect(failures.map(({ report }) => report).join('\n\n')).toBe('')
})
