import type { Queryable } from '../../src/store/queryable.ts'
import { waitFor } from './wait-for.ts'

/** Its state, live or finished; null: there is no such job. */
export async function statusOf(database: Queryable, jobId: string): Promise<string | null> {
  const [row] = await database.query<{ status: string }>(
    `select status from interlock.jobs where id = $1
     union all
     select outcome from interlock.task_history where job_id = $1 limit 1`,
    [jobId],
  )
  return row?.status ?? null
}

export async function untilStatus(
  database: Queryable,
  jobId: string,
  status: string,
  timeoutMs: number,
): Promise<void> {
  await waitFor(async () => (await statusOf(database, jobId)) === status, {
    what: `job ${jobId} to be ${status}`,
    timeoutMs,
  })
}

/** Its events, in order: `enqueued`, `assigned`, ... */
export async function timelineOf(database: Queryable, jobId: string): Promise<readonly string[]> {
  const rows = await database.query<{ event_type: string }>(
    'select event_type from interlock.job_queue_log where job_id = $1 order by id',
    [jobId],
  )
  return rows.map(({ event_type }) => event_type)
}
