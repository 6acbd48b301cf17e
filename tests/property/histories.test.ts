import { expect, it } from 'vitest'
import { runCampaign } from './campaign.ts'

const sequence = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n)

// `npm run test:long` runs thousands; these take half a minute at most. The last ones are others each time.
const anySeed = Math.floor(Math.random() * 1e9)

it(`random histories keep to the rules while verbs are interrupted inside (seeds 1 to 30, and 10 from ${anySeed})`, {
  timeout: 180_000,
}, async () => {
  const { failures, pauses } = await runCampaign({
    seeds: [...sequence(1, 30), ...sequence(anySeed, 10)],
    databases: 2,
  })
  expect(failures.map(({ report }) => report).join('\n\n')).toBe('')
  // Else nothing was interleaved.
  expect(pauses.size).toBeGreaterThan(30)
})
