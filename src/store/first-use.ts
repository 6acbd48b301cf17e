import type { Queryable } from './queryable.ts'

/** Whether any job was ever put into this database, as far as it remembers. */
export async function hasSeenJobs(queryable: Queryable): Promise<boolean> {
  const [row] = await queryable.query<{ readonly seen: boolean }>(
    `select exists (select from interlock.jobs) or exists (select from interlock.task_history)
       or exists (select from interlock.job_queue_log as l where l.job_id is not null) as seen`,
  )
  return row?.seen === true
}
