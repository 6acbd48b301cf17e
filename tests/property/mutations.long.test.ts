import { describe, expect, it } from 'vitest'
import { runCampaign } from './campaign.ts'
import { mutations } from './mutations.ts'

const enough = 400

describe('a seeded defect is found within a few hundred histories', () => {
  for (const mutation of mutations) {
    it(mutation.name, { timeout: 3600_000 }, async () => {
      const { failures, histories } = await runCampaign({
        seeds: Array.from({ length: enough }, (_, n) => n + 1),
        databases: 2,
        shrinkSeconds: 0,
        mutation,
      })
      const [failure] = failures
      console.log(
        `${mutation.name}: ${failure === undefined ? 'not found' : `${failure.check}, after ${histories} histories`}`,
      )
      if (mutation.mayHide !== true) expect(failures).not.toEqual([])
    })
  }
})
