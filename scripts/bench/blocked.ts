import type { Database } from '../../src/store/database.ts'

/**
 * Puts so many waiting jobs of one busy user in front of everybody: one of them runs and never ends, and all are older
 * than whatever comes later. They stand in three lanes, with and without a model.
 */
export async function enqueueBlocked(database: Database, jobs: number): Promise<void> {
  await database.query(`select * from interlock.register_agent('holder', '{default}', 1, p_lease_seconds => 3600)`)
  await database.query(
    `select * from interlock.enqueue_jobs('[{"task": "bench", "user": "busy", "queue": "default"}]')`,
  )
  await database.query('select * from interlock.absorb_touches()')
  const [claim] = await database.query<{ jobs: readonly unknown[] }>(
    `select c.jobs
     from interlock.agent_stats as a
     cross join lateral interlock.claim_jobs(a.id) as c
     where a.name = 'holder'`,
  )
  if (claim?.jobs.length !== 1) throw new Error('the busy user does not hold anything')
  const models = [[], ['m0'], ['m1']]
  for (let from = 0; from < jobs; from += 5000) {
    const batch = Array.from({ length: Math.min(5000, jobs - from) }, (_, n) => ({
      task: 'bench',
      user: 'busy',
      models: models[n % models.length],
      queue: 'default',
    }))
    await database.query('select count(*) from interlock.enqueue_jobs($1)', [JSON.stringify(batch)])
    await database.query('select * from interlock.absorb_touches()')
  }
}
