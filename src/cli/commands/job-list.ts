import { Command, Option } from 'commander'
import type { JobSummaryView } from '../../domain/job-view.ts'
import { everyFilter, type SelectionOptions, selectionOf, withSelection } from '../job-selection.ts'
import { paintStatus, showPriority } from '../job-words.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showSince } from '../times.ts'
import { looksWithBackend } from '../watching.ts'
import { wholeNumber } from './serve.ts'

/** All but the shape of an error, which dead letters are grouped by. */
const filters = everyFilter.filter((name) => name !== 'error')

interface ListOptions extends SelectionOptions {
  readonly limit: number
  readonly cursor?: string
}

/** `queue list` and `job list`: the same list, wherever one looks for it. */
export function createListCommand(runtime: Runtime, typed: string): Command {
  const command = new Command('list')
    .description('jobs, live and finished, by filter')
    .addOption(
      new Option('--limit <number>', 'at most so many').argParser(wholeNumber({ least: 1, most: 500 })).default(50),
    )
    .addOption(new Option('--cursor <cursor>', 'go on where a former list ended'))
  withSelection(command, filters)
  withExamples(command, [`${typed} --status pending,running`, `${typed} --user alice --json`])
  return looksWithBackend<ListOptions>(command, runtime, async (call, backend) => {
    const { limit, cursor } = call.options
    const page = await backend.listJobs({ ...selectionOf(call.options), limit, cursor })
    call.show(page, () => renderJobs(page.jobs, call.terminal))
    if (page.next_cursor !== null && !call.isJson) {
      call.terminal.note(`there are more: --cursor ${page.next_cursor}`)
    }
    return undefined
  })
}

function renderJobs(jobs: readonly JobSummaryView[], terminal: Terminal): string {
  if (jobs.length === 0) return 'no jobs'
  return renderTable(
    [
      { title: 'JOB', narrow: 'keep' },
      { title: 'STATUS', narrow: 'keep' },
      { title: 'TASK' },
      { title: 'USER' },
      { title: 'MODELS' },
      { title: 'QUEUE' },
      { title: 'PRIO', narrow: 'keep' },
      { title: 'AGE', align: 'right', narrow: 'keep' },
    ],
    jobs.map((job) => [
      job.id,
      paintStatus(job.status, terminal),
      job.task,
      job.user ?? '',
      job.models.join(' '),
      job.queue,
      showPriority(job.priority_number),
      showSince(job.created_at) ?? '',
    ]),
    terminal,
  )
}
