import { describe, expect, it } from 'vitest'
import { mutations } from '../property/mutations.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { runCampaign } from './campaign.ts'
import { lockMutations } from './lock-mutations.ts'

// Of the property test's seeded defects those that show soon; `npm run test:long` looks for all of them.
const soon = [
  'no token check on release',
  'no touch on return to pending',
  'a new limit does not count what runs',
  'a raised limit wakes nobody',
  'the end of a pause wakes nobody',
  'a start counts in its rate for half a minute',
]

describe('a seeded defect is found by a few hundred commands', () => {
  for (const mutation of [...mutations, ...lockMutations].filter(({ name }) => soon.includes(name))) {
    it(mutation.name, { timeout: 120_000 }, async () => {
      const { failure } = await runCampaign({
        open: () => createTestDatabase({ poolSize: 1, violations: 'expected' }),
        seed: 1,
        commands: 6000,
        shrinks: false,
        mutation,
      })
      expect(failure).not.toBeNull()
    })
  }
})
