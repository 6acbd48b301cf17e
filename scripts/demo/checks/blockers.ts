import { claimsOf, type LogEvent } from '../history.ts'
import { judge, type Verdict } from './verdict.ts'

/**
 * Every job that was blocked names what it is blocked on and why; and by whom: a job that had it at that moment. Only
 * one that is kept for a more senior job is held by nobody, and the reason says so.
 */
export function checkBlockers(log: readonly LogEvent[]): Verdict {
  const claims = claimsOf(log)
  const blocked = log.filter(({ type }) => type === 'blocked')
  const contradictions = blocked.flatMap(({ id, jobId, reason, details }) => {
    const resource = details?.blocked_on
    const blocker = details?.blocked_by_job_id
    if (typeof resource !== 'string' || reason === null || reason === '') {
      return [`${jobId} is blocked and does not say on what, or why (event ${id})`]
    }
    if (typeof blocker !== 'string') {
      return /more senior/.test(reason) ? [] : [`${jobId} names no blocker: ${reason}`]
    }
    const holds = claims.some(
      ({ jobId: holder, resources, assigned, ended }) =>
        holder === blocker && resources.includes(resource) && assigned.id < id && (ended === null || ended.id > id),
    )
    return holds ? [] : [`${jobId} names ${blocker}, which did not have ${resource} then`]
  })
  const named = blocked.filter(({ details }) => typeof details?.blocked_by_job_id === 'string')
  if (named.length === 0) contradictions.push('nothing was blocked by a job, so nothing is shown')
  const example = named.at(0)
  return judge('blocked jobs name their blocker and the reason', contradictions, [
    `${blocked.length} blocked, ${named.length} of them by a job`,
    ...(example === undefined ? [] : [`${example.jobId}: ${example.reason}`]),
  ])
}
