import type { Queryable } from '../../src/store/queryable.ts'

export interface LogVerdict {
  /** Jobs enqueued that the log does not end exactly once. */
  readonly lostOrTwice: number
  /** Claims of a resource that began before the one before it, by fence, had ended. */
  readonly overlaps: number
  readonly violations: number
}

/**
 * Asks the log, not the tables, what happened: was every job completed exactly once, and did any two claims of one
 * resource overlap? Ordered by fence and not by time: of two claims of a resource the later one's token is greater, and
 * its event was written after the former one's end, under the same lock. For capacities of 1.
 */
export async function checkLog(database: Queryable): Promise<LogVerdict> {
  const [row] = await database.query<{ lost_or_twice: number; overlaps: number; violations: number }>(`
    with claims as (
      select r.resource, l.token, l.id as began
      from interlock.job_queue_log as l
      cross join lateral unnest(l.resources) as r (resource)
      where l.event_type = 'assigned'
    ),
    ends as (
      select l.token, min(l.id) as ended
      from interlock.job_queue_log as l
      where l.event_type in ('completed', 'failed', 'retried', 'returned', 'lost', 'cancelled')
        and l.token is not null
      group by l.token
    ),
    turns as (
      select e.ended, lead(c.began) over (partition by c.resource order by c.token) as next_began
      from claims as c
      left join ends as e on e.token = c.token
    ),
    fates as (
      select l.job_id, count(*) filter (where l.event_type = 'completed') as completed
      from interlock.job_queue_log as l
      where l.job_id is not null
      group by l.job_id
    )
    select
      (select count(*) from fates as f
       where f.completed <> 1 and not exists (select from interlock.jobs as j where j.id = f.job_id)) as lost_or_twice,
      (select count(*) from turns as t where t.next_began is not null and (t.ended is null or t.ended > t.next_began)) as overlaps,
      (select count(*) from interlock.violations) as violations`)
  if (row === undefined) throw new Error('the log answered nothing')
  return { lostOrTwice: row.lost_or_twice, overlaps: row.overlaps, violations: row.violations }
}
