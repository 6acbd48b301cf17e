import { Command } from 'commander'
import type { JobView } from '../../domain/job-view.ts'
import type { RequestView } from '../../domain/question-view.ts'
import { paintStatus, showPriority, showProgress } from '../job-words.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderDetails } from '../table.ts'
import type { Painter } from '../terminal.ts'
import { showSince, showTime } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

export function createShowCommand(runtime: Runtime): Command {
  const command = new Command('show').description('everything about a job, live or finished').argument('<id>')
  withExamples(command, ['interlock job show d1024', 'interlock job show d1024 --json | jq .result'])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const job = await backend.getJob(call.argument(0))
    const asks = call.isJson || job.status !== 'running' ? [] : await backend.requests({ job: job.id })
    call.show(job, () => renderJob(job, call.terminal, asks))
    return undefined
  })
}

export function renderJob(job: JobView, terminal: Painter, asks: readonly RequestView[] = []): string {
  const at = (time: string | null) => (time === null ? null : `${showTime(time)}  (${showSince(time)} ago)`)
  return renderDetails(
    [
      ['job', terminal.paint('bold', job.id)],
      ['status', paintStatus(job.status, terminal) + (job.cancel_requested_at === null ? '' : ', asked to stop')],
      [
        'waits for',
        asks
          .map(waitsFor)
          .filter((wait) => wait !== null)
          .join('\n') || null,
      ],
      ['blocked by', job.blocked_by_job_id],
      ['because', job.conflict_reason],
      ['depends on', showParents(job)],
      ['position', job.queue_position === null ? null : String(job.queue_position)],
      ['progress', showProgress(job)],
      ['task', job.task],
      ['kind', job.kind === 'normal' ? null : job.kind],
      ['user', job.user],
      ['project', job.project],
      ['queue', job.queue],
      ['priority', showPriority(job.priority_number)],
      ['permission', job.permission_level === 'autonomous' ? null : job.permission_level],
      ['needs', job.resources.join('\n')],
      ['agent', job.agent_id],
      ['token', job.token === null ? null : String(job.token)],
      ['attempt', job.max_attempts === null ? String(job.attempt) : `${job.attempt} of ${job.max_attempts}`],
      ['created', at(job.created_at)],
      ['not before', job.status === 'scheduled' ? showTime(job.run_at) : null],
      ['started', at(job.started_at)],
      ['finished', at(job.finished_at)],
      ['reason', job.reason],
      ['payload', showJson(job.payload)],
      ['result', showJson(job.result)],
      ['error', showError(job.error)],
    ],
    terminal,
  )
}

function waitsFor({ id, status, message, request_type: type, given_back: gaveBack, is_away: isAway }: RequestView) {
  if (status === 'open') return `an answer of a person to "${message}" (${type} ${id})`
  return isAway ? `${gaveBack?.join(', ')} again, before it goes on with ${id}` : null
}

function showParents({ depends_on: parents = [] }: JobView): string {
  return parents
    .map(({ job_id: id, status, needs }) => `${id} (${status}${needs === 'any' ? ', any end will do' : ''})`)
    .join('\n')
}

function showJson(value: unknown): string | null {
  if (value === null || value === undefined) return null
  const isEmpty = typeof value === 'object' && Object.keys(value).length === 0
  return isEmpty ? null : JSON.stringify(value, null, 2)
}

function showError(error: JobView['error']): string | null {
  if (error === null || error === undefined) return null
  const { message, ...more } = error
  return [String(message ?? ''), showJson(more)].filter((part) => part !== null && part !== '').join('\n')
}
