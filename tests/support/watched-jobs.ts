import type { TestDatabase } from './test-database.ts'
import { waitFor } from './wait-for.ts'

/** Until a coordinator looks at a job for somebody who waits for its end or follows its output. */
export async function untilSomebodyWaits(test: TestDatabase): Promise<void> {
  await waitFor(
    async () => {
      // Put together, so that it does not find itself on another connection of the pool.
      const looks = await test.query(
        `select from pg_stat_activity
         where datname = current_database() and strpos(query, 'with ordinality as w ' || '(job_id, after_seq, place)') > 0`,
      )
      return looks.length > 0
    },
    { what: 'somebody to wait for a job' },
  )
}
