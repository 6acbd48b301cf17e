import type { FeedEvent } from '../store/event-feed.ts'
import type { Paint, Terminal } from './terminal.ts'
import { showInstant } from './times.ts'

/** How each event of job_queue_log reads to somebody who watches. What is not here reads as its own name. */
const phrases: Readonly<Record<string, (event: FeedEvent) => string>> = {
  enqueued: ({ to_status: to }) => (to === 'pending' ? 'enqueued' : `enqueued, ${to}`),
  due: () => 'is due',
  assigned: ({ agent_id: agent }) => `given to ${agent}`,
  started: () => 'started',
  blocked: ({ conflict_reason: reason }) => `blocked: ${reason}`,
  completed: () => 'completed',
  retried: ({ conflict_reason: reason }) => withReason('failed, will be retried', reason),
  failed: ({ conflict_reason: reason }) => withReason('failed for good', reason),
  cancel_requested: ({ conflict_reason: reason }) => withReason('asked to stop', reason),
  cancelled: ({ conflict_reason: reason }) => withReason('cancelled', reason),
  returned: ({ conflict_reason: reason }) => withReason('given back', reason),
  lost: ({ conflict_reason: reason }) => withReason('lost with its agent, waits again', reason),
  requeued: ({ conflict_reason: reason }) => withReason('requeued', reason),
  expired: ({ conflict_reason: reason }) => withReason('expired', reason),
  deleted: ({ conflict_reason: reason }) => withReason('deleted', reason),
  agent_registered: ({ agent_id: agent }) => `agent ${agent} registered`,
  agent_draining: ({ agent_id: agent }) => `agent ${agent} takes no more jobs`,
  agent_gone: ({ agent_id: agent, conflict_reason: reason }) => withReason(`agent ${agent} is gone`, reason),
  limit_set: ({ details }) => `limit ${String(details?.pattern)} is ${String(details?.capacity ?? 'unlimited')}`,
  schedule_set: ({ details }) => `schedule ${String(details?.schedule)} set`,
  schedule_paused: ({ details }) => `schedule ${String(details?.schedule)} paused`,
  schedule_resumed: ({ details }) => `schedule ${String(details?.schedule)} goes on`,
  schedule_deleted: ({ details }) => `schedule ${String(details?.schedule)} deleted`,
  schedule_missed: ({ details }) =>
    `schedule ${String(details?.schedule)} missed slots since ${String(details?.missed_since)}`,
  schedule_failed: ({ details, conflict_reason: reason }) =>
    withReason(`schedule ${String(details?.schedule)} could not enqueue`, reason),
  queue_set: ({ details }) => `queue ${String(details?.queue)} changed`,
}

const paints: Readonly<Record<string, Paint>> = {
  started: 'cyan',
  blocked: 'yellow',
  completed: 'green',
  retried: 'yellow',
  failed: 'red',
  lost: 'red',
  expired: 'red',
  agent_gone: 'red',
  assigned: 'dim',
  enqueued: 'dim',
}

/** `12:03:04.123  alice    d12  edit-repo  blocked: User conflict: alice in use by normal job d11` */
export function renderEvent(event: FeedEvent, terminal: Terminal): string {
  const phrase =
    phrases[event.event_type]?.(event) ?? withReason(event.event_type.replaceAll('_', ' '), event.conflict_reason)
  const paint = paints[event.event_type]
  const said = paint === undefined ? phrase : terminal.paint(paint, phrase)
  const time = terminal.paint('dim', showInstant(event.created_at.toISOString()))
  if (event.job_id === null) return `${time}  ${said}`
  const who = (event.user_name ?? '').padEnd(8)
  return `${time}  ${who}  ${terminal.paint('bold', event.job_id.padEnd(9))}  ${(event.task ?? '').padEnd(14)}  ${said}`
}

function withReason(phrase: string, reason: string | null): string {
  return reason === null ? phrase : `${phrase}: ${reason}`
}
