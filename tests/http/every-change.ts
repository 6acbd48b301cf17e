import type { Scene } from '../refusals/scene.ts'
import type { OperationCall } from './every-operation.ts'

/** What a person does to one job, or to many. */
export function changeCalls({ lock }: Scene): readonly OperationCall[] {
  const jobs = [
    { id: 'to-start', start: false },
    { id: 'to-approve', permission_level: 'human_required' },
    { id: 'to-reject', permission_level: 'human_required' },
    { id: 'to-requeue', delay_seconds: 3600 },
    { id: 'to-cancel' },
    { id: 'to-delete' },
    ...['one', 'other'].map((id) => ({ id, user: 'zoe', delay_seconds: 3600 })),
  ]
  return [
    { method: 'POST', path: '/jobs/batch', body: { jobs: jobs.map((job) => ({ task: 'work', ...job })) } },
    { method: 'POST', path: '/jobs/to-start/start', body: { reason: 'now' } },
    { method: 'POST', path: '/jobs/to-approve/approve', body: { reason: 'it may', actor: 'ann' } },
    { method: 'POST', path: '/jobs/to-reject/reject', body: { reason: 'it may not' } },
    { method: 'POST', path: '/jobs/to-requeue/requeue' },
    { method: 'POST', path: '/jobs/to-cancel/priority', body: { priority: 0.5 } },
    { method: 'POST', path: '/jobs/to-cancel/cancel' },
    { method: 'DELETE', path: '/jobs/to-delete' },
    { method: 'POST', path: `/jobs/${lock.id}/release` },
    { method: 'POST', path: '/jobs/priority', body: { user: 'zoe', priority: 'low' } },
    { method: 'POST', path: '/jobs/requeue', body: { user: 'zoe', status: ['scheduled'] } },
    { method: 'POST', path: '/jobs/cancel', body: { user: 'zoe', reason: 'all wrong' } },
  ]
}
