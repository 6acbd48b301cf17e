import type { Database } from '../../../src/store/database.ts'

/**
 * Puts so many waiting jobs of one busy user in front of everybody: one of them runs and never ends, and all are older
 * than whatever comes later. They stand in three lanes, with and without a model.
 */
export async function enqueueBlocked(database: Database, jobs: number, signal?: AbortSignal): Promise<void> {
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
  await enqueueMade(
    database,
    jobs,
    `jsonb_build_object('task', 'bench', 'user', 'busy', 'queue', 'default',
       'models', case n % 3 when 0 then '[]' else jsonb_build_array('m' || n % 3) end)`,
    signal,
  )
}

/** One waiting job of each user u0, u1, ..., their models taken in turn. */
export async function enqueueForEachUser(
  database: Database,
  users: number,
  models: number,
  signal: AbortSignal,
): Promise<void> {
  await enqueueMade(
    database,
    users,
    `jsonb_build_object('task', 'bench', 'user', 'u' || n, 'queue', 'default', 'models', jsonb_build_array('m' || n % ${models}))`,
    signal,
  )
}

// Made where they are needed: a million of them would be half a minute of JSON in this process.
async function enqueueMade(database: Database, jobs: number, request: string, signal?: AbortSignal): Promise<void> {
  for (let from = 0; from < jobs; from += 5000) {
    signal?.throwIfAborted()
    await database.query(
      `select count(*)
       from interlock.enqueue_jobs((select jsonb_agg(${request} order by n) from generate_series($1::int, $2::int) as n))`,
      [from, Math.min(jobs, from + 5000) - 1],
    )
    for (let left = 1; left > 0; ) {
      const [row] = await database.query<{ left_over: number }>('select left_over from interlock.absorb_touches(5000)')
      left = row?.left_over ?? 0
    }
  }
}
