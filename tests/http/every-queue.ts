import type { OperationCall } from './every-operation.ts'

/** Queues, their policy, limits, and whether all is well. */
export function queueCalls(): readonly OperationCall[] {
  return [
    { method: 'PUT', path: '/queues/slow', body: { max_attempts: 2, tasks: ['work'], user_weights: { ann: 2 } } },
    { method: 'PATCH', path: '/queues/slow', body: { refuse_after_wait_seconds: 0.5, heartbeat_seconds: 60 } },
    { method: 'GET', path: '/queues' },
    { method: 'POST', path: '/queues/slow/pause' },
    { method: 'POST', path: '/queues/slow/resume', body: { actor: 'ann' } },
    { method: 'POST', path: '/jobs', body: { task: 'work', id: 'flushed', queue: 'slow' } },
    { method: 'POST', path: '/queues/slow/flush?dry_run=1' },
    { method: 'POST', path: '/queues/slow/flush', body: { reason: 'not today' } },
    { method: 'PATCH', path: '/resources/model:sdxl', body: { capacity: 2, starts_per_minute: 5 } },
    { method: 'GET', path: '/resources' },
    { method: 'DELETE', path: '/resources/model:sdxl' },
    { method: 'GET', path: '/queue/status' },
    { method: 'GET', path: '/queue/health' },
    { method: 'GET', path: '/livez' },
    { method: 'GET', path: '/readyz' },
  ]
}
