import { describe, expect, test } from 'vitest'
import { enqueueBlocked } from '../../scripts/bench/blocked.ts'
import { drain } from '../../scripts/bench/drain.ts'
import { checkLog } from '../../scripts/bench/log-check.ts'
import { Database } from '../../src/store/database.ts'
import { createTestDatabase } from '../support/test-database.ts'

describe('20,000 jobs of 2,000 users on 200 models, four claimers', () => {
  test.each([0, 1_000_000])(
    'none is lost, none runs twice, none overlaps, behind %i waiting jobs of a busy user',
    { timeout: 900_000 },
    async (blocked) => {
      // The auditor reads all of a million jobs here, which takes longer than a statement may that serves somebody; and once
      // is enough.
      const { url } = await createTestDatabase({ violations: 'expected' })
      const database = new Database({ url, statementTimeoutSeconds: 0 })
      const seed = Math.floor(Math.random() * 1e6)
      if (blocked > 0) await enqueueBlocked(database, blocked)
      const run = await drain(database, { jobs: 20_000, users: 2000, models: 200, claimers: 4, batch: 50, seed })
      console.log(
        `seed ${seed}, ${blocked} blocked: ${Math.round(run.jobsPerSecond)} jobs/s, claim median ${run.claimMsMedian.toFixed(1)} ms, p99 ${run.claimMsP99.toFixed(1)} ms`,
      )
      expect(run.completed).toBe(20_000)
      expect(await checkLog(database)).toEqual({ lostOrTwice: 0, overlaps: 0, violations: 0 })
      await database.end()
    },
  )
})
