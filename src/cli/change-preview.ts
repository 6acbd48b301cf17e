import { InterlockError } from '../domain/errors.ts'
import { isActive, isFinished } from '../domain/job.ts'
import type { JobView } from '../domain/job-view.ts'
import type { JobChange } from './backend.ts'

export interface ChangePreview {
  readonly job_id: string
  readonly from: string
  readonly to: string
  /** What else a person should know, with its comma; empty where there is nothing. */
  readonly note: string
}

/**
 * What a change would do to a job as it is now, or the refusal that it would meet. The verb decides when it is really
 * asked; between the two the job may have moved on.
 */
export function previewChange(job: JobView, change: JobChange): ChangePreview {
  const preview = (to: string, note = ''): ChangePreview => ({ job_id: job.id, from: job.status, to, note })
  const isDead = job.status === 'failed'
  if (change === 'cancel') {
    if (isActive(job.status)) return preview('cancelling', ', its resources stay taken until its process is gone')
    if (!isFinished(job.status)) return preview('cancelled')
  }
  if (change === 'release') {
    if (isActive(job.status)) return preview('cancelling', ', its resources stay taken until its process is gone')
    throw new InterlockError('not_held', `${job.id} is ${job.status} and holds nothing`)
  }
  const isAwaited = job.status === 'paused' && job.permission_level === 'human_required' && job.approved_at === null
  if (change === 'start' && job.status === 'paused' && !isAwaited) return preview('pending')
  if (change === 'approve' && isAwaited) return preview('pending')
  if (change === 'reject' && isAwaited) return preview('cancelled')
  if (change === 'start' && isAwaited) {
    throw new InterlockError('not_permitted', `${job.id} waits for an approval`, { hint: 'Approve or reject it.' })
  }
  if (change === 'requeue' && (isDead || job.status === 'scheduled')) return preview('pending')
  if (change === 'delete' && (isDead || !(isActive(job.status) || isFinished(job.status)))) return preview('deleted')
  const hint = change === 'delete' && isActive(job.status) ? 'Cancel it first.' : null
  throw new InterlockError('illegal_transition', `cannot ${change} ${job.id}: it is ${job.status}`, { hint })
}
