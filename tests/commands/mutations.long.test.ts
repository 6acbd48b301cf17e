import { describe, expect, it } from 'vitest'
import { mutations } from '../property/mutations.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { runCampaign } from './campaign.ts'
import { lockMutations } from './lock-mutations.ts'

// They show only while a verb is stopped between two of its statements, which no command does, or by rare luck: the
// histories of tests/property are for them. Looked for, and reported, without failing when they hide.
const between = [
  'vacating wakes nobody',
  'a wake for each resource, not for each slot',
  'slots are read before they are locked',
  'resources are locked in no order',
  'heads are not locked',
]

describe('a seeded defect is found by some thousand commands', () => {
  for (const mutation of [...mutations, ...lockMutations]) {
    it(mutation.name, { timeout: 900_000 }, async () => {
      const { failure, commands } = await runCampaign({
        open: () => createTestDatabase({ poolSize: 1, violations: 'expected' }),
        seed: 1,
        commands: 20_000,
        databases: 2,
        shrinks: false,
        mutation,
      })
      console.log(
        `${mutation.name}: ${failure === null ? 'not found' : `${failure.check}, after ${commands} commands`}`,
      )
      if (mutation.mayHide !== true && !between.includes(mutation.name)) expect(failure).not.toBeNull()
    })
  }
})
