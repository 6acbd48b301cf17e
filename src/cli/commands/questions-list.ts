import { Command, Option } from 'commander'
import { type RequestStatus, requestStatuses } from '../../domain/question.ts'
import type { RequestView } from '../../domain/question-view.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showDuration, showSince } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

interface ListOptions {
  readonly status: RequestStatus | 'all'
  readonly job?: string
  readonly conversation?: string
}

export function createQuestionListCommand(runtime: Runtime): Command {
  const command = new Command('list')
    .description('the questions that wait for an answer, the oldest first')
    .addOption(
      new Option('--status <status>', 'those that are so').choices([...requestStatuses, 'all']).default('open'),
    )
    .addOption(new Option('--job <id>', 'only those of this job'))
    .addOption(new Option('--conversation <id>', 'only those of this thread'))
  withExamples(command, ['interlock questions list', 'interlock questions list --job d1024 --status all --json'])
  return looksWithBackend<ListOptions>(command, runtime, async (call, backend) => {
    const { status, job, conversation } = call.options
    const requests = await backend.requests({ status: status === 'all' ? undefined : status, job, conversation })
    call.show(requests, () => renderRequests(requests, call.terminal))
    return undefined
  })
}

/** A row for each question. */
export function renderRequests(requests: readonly RequestView[], terminal: Terminal): string {
  if (requests.length === 0) return 'nobody asks anything'
  return renderTable(
    [
      { title: 'ID', narrow: 'keep' },
      { title: 'JOB', narrow: 'keep' },
      { title: 'OF' },
      { title: 'TYPE', narrow: 'keep' },
      { title: 'FOR', align: 'right', narrow: 'keep' },
      { title: 'LEFT', align: 'right', narrow: 'keep' },
      { title: 'QUESTION', narrow: 'wrap' },
    ],
    requests.map((request) => [
      request.id,
      request.job_id,
      request.user ?? '',
      request.request_type,
      showSince(request.created_at) ?? '',
      request.status === 'open'
        ? showDuration((Date.parse(request.expires_at) - Date.now()) / 1000)
        : terminal.paint('dim', request.status),
      request.message,
    ]),
    terminal,
  )
}
