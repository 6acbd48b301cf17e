import type { Explanation } from '../domain/explanation.ts'
import { asJobId, isJobId } from '../domain/ids.ts'
import type { Job, Waiting } from '../domain/job.ts'
import { finishedColumns, type JobRow, liveColumns, toJob } from './job-row.ts'
import type { Queryable } from './queryable.ts'

/** At most a hundred: whoever wants them all asks interlock.job_parents. */
const parentsOf = (id: string) => `(
  select jsonb_agg(jsonb_build_object('job_id', p.parent_id, 'status', p.parent_status, 'needs', p.needs) order by p.parent_id)
  from (select * from interlock.job_parents where job_id = ${id} order by parent_id limit 100) as p) as parents`

/** One job with all that is kept of it, live or finished; null: there is none, or nothing is left of it. */
export async function readJob(queryable: Queryable, id: string): Promise<Job | null> {
  if (!isJobId(id)) return null
  // One that ends between the two questions is found by the second; a job never goes the other way but by a requeue,
  // and that finds it by the first.
  const [live] = await queryable.query<LiveRow>(
    `select ${liveColumns}, j.payload, null::jsonb as result, ${parentsOf('j.id')},
      case when j.status = 'pending' then interlock.explain_job(j.id) end as explanation,
      w.blocked_by_job_id, w.conflict_reason
    from interlock.jobs as j
    left join interlock.waiting_jobs as w on w.job_id = j.id
    where j.id = $1`,
    [id],
  )
  if (live !== undefined) return toJob(live, toWaiting(live))
  const [finished] = await queryable.query<JobRow>(
    `select ${finishedColumns}, r.payload, r.result, ${parentsOf('h.job_id')}
    from interlock.task_history as h
    left join interlock.job_results as r
      on r.job_id = h.job_id
      and r.finished_at = h.finished_at
    where h.job_id = $1
    order by h.finished_at desc
    limit 1`,
    [id],
  )
  return finished === undefined ? null : toJob(finished, null)
}

/** Why a job waits, as `explain_job` says it, for any job that is known. Throws job_not_found. */
export async function explainJob(queryable: Queryable, id: string): Promise<Explanation> {
  const [row] = await queryable.query<{ readonly explanation: Explanation }>(
    'select interlock.explain_job($1) as explanation',
    [id],
  )
  if (row === undefined) throw new TypeError('explain_job answered without a row')
  return row.explanation
}

interface LiveRow extends JobRow {
  readonly explanation: Explanation | null
  readonly blocked_by_job_id: string | null
  readonly conflict_reason: string | null
}

/** The view also knows what stands before a job that no claim has examined yet; the explanation knows who reserves. */
function toWaiting({ explanation, blocked_by_job_id, conflict_reason }: LiveRow): Waiting | null {
  if (explanation === null) return null
  const blocker = blocked_by_job_id ?? explanation.blocked_by_job_id ?? null
  return {
    position: explanation.queue_position ?? null,
    blockedByJobId: blocker === null ? null : asJobId(blocker),
    reason: conflict_reason ?? explanation.conflict_reason ?? null,
  }
}
