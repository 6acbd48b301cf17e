import type { QueueEvent } from '../domain/queue-event.ts'
import type { Paint, Terminal } from './terminal.ts'
import { showInstant } from './times.ts'

/** How each event of job_queue_log reads to somebody who watches. What is not here reads as its own name. */
const phrases: Readonly<Record<string, (event: QueueEvent) => string>> = {
  enqueued: ({ to_status: to }) => (to === 'pending' ? 'enqueued' : `enqueued, ${to}`),
  due: () => 'is due',
  ready: ({ to_status: to }) => `all that it depends on has ended${to === 'pending' ? '' : `, ${to}`}`,
  assigned: ({ agent_id: agent }) => `given to ${agent}`,
  started: () => 'started',
  blocked: ({ conflict_reason: reason }) => `blocked: ${reason}`,
  step: ({ details }) => withReason(`step ${String(details?.step)}`, asText(details?.model)),
  completed: () => 'completed',
  retried: ({ conflict_reason: reason }) => withReason('failed, will be retried', reason),
  failed: ({ conflict_reason: reason }) => withReason('failed for good', reason),
  cancel_requested: ({ conflict_reason: reason }) => withReason('asked to stop', reason),
  cancelled: ({ conflict_reason: reason }) => withReason('cancelled', reason),
  returned: ({ conflict_reason: reason }) => withReason('given back', reason),
  stalled: ({ conflict_reason: reason }) => withReason('stalled, is stopped', reason),
  lost: ({ conflict_reason: reason }) => withReason('lost with its agent, waits again', reason),
  requeued: ({ conflict_reason: reason }) => withReason('requeued', reason),
  expired: ({ conflict_reason: reason }) => withReason('expired', reason),
  asked: ({ conflict_reason: question }) => withReason('asks', question),
  answered: ({ actor, conflict_reason: answer }) =>
    withReason(`is answered${actor === null ? '' : ` by ${actor}`}`, answer),
  request_expired: () => 'was not answered in time',
  request_closed: () => 'ended with a question open',
  resumed: () => 'has again what it gave back for its question',
  deleted: ({ conflict_reason: reason }) => withReason('deleted', reason),
  agent_registered: ({ agent_id: agent }) => `agent ${agent} registered`,
  agent_suspended: ({ agent_id: agent, conflict_reason: reason }) =>
    withReason(`agent ${agent} takes no more jobs until it is resumed`, reason),
  agent_resumed: ({ agent_id: agent }) => `agent ${agent} takes jobs again`,
  agent_draining: ({ agent_id: agent }) => `agent ${agent} takes no more jobs`,
  agent_gone: ({ agent_id: agent, conflict_reason: reason }) => withReason(`agent ${agent} is gone`, reason),
  limit_set: ({ details }) => `limit ${String(details?.pattern)} is ${String(details?.capacity ?? 'unlimited')}`,
  workflow_set: ({ details }) => `workflow ${String(details?.workflow)} is at version ${String(details?.version)}`,
  backlog_limit_set: ({ details }) =>
    `unfinished jobs of ${String(details?.scope)}: at most ${String(details?.max_unfinished ?? 'any number')}`,
  schedule_set: ({ details }) => `schedule ${String(details?.schedule)} set`,
  schedule_paused: ({ details }) => `schedule ${String(details?.schedule)} paused`,
  schedule_resumed: ({ details }) => `schedule ${String(details?.schedule)} goes on`,
  schedule_deleted: ({ details }) => `schedule ${String(details?.schedule)} deleted`,
  schedule_missed: ({ details }) =>
    `schedule ${String(details?.schedule)} missed slots since ${String(details?.missed_since)}`,
  schedule_failed: ({ details, conflict_reason: reason }) =>
    withReason(`schedule ${String(details?.schedule)} could not enqueue`, reason),
  alarm_raised: ({ conflict_reason: reason }) => withReason('alarm', reason),
  alarm_cleared: ({ conflict_reason: reason }) => withReason('no longer alarming', reason),
  alarm_undelivered: ({ conflict_reason: reason }) => withReason('an alarm could not be delivered', reason),
  queue_set: ({ details }) => `queue ${String(details?.queue)} changed`,
}

const paints: Readonly<Record<string, Paint>> = {
  started: 'cyan',
  blocked: 'yellow',
  completed: 'green',
  retried: 'yellow',
  failed: 'red',
  stalled: 'red',
  lost: 'red',
  expired: 'red',
  asked: 'yellow',
  request_expired: 'red',
  agent_gone: 'red',
  alarm_raised: 'red',
  alarm_cleared: 'green',
  alarm_undelivered: 'red',
  assigned: 'dim',
  enqueued: 'dim',
}

/** `12:03:04.123  alice    d12  edit-repo  blocked: User conflict: alice in use by normal job d11` */
export function renderEvent(event: QueueEvent, terminal: Terminal): string {
  const phrase =
    phrases[event.event_type]?.(event) ?? withReason(event.event_type.replaceAll('_', ' '), event.conflict_reason)
  const paint = paints[event.event_type]
  const said = paint === undefined ? phrase : terminal.paint(paint, phrase)
  const time = terminal.paint('dim', showInstant(event.created_at))
  if (event.job_id === null) return `${time}  ${said}`
  const who = (event.user ?? '').padEnd(8)
  return `${time}  ${who}  ${terminal.paint('bold', event.job_id.padEnd(9))}  ${(event.task ?? '').padEnd(14)}  ${said}`
}

function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function withReason(phrase: string, reason: string | null): string {
  return reason === null ? phrase : `${phrase}: ${reason}`
}
