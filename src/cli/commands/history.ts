import { Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import { checkHistoryQuestion, type HistorySummary, maxSummaryRows, summaryKeys } from '../../domain/history-summary.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showDuration, showTime } from '../times.ts'
import { looksWithBackend } from '../watching.ts'
import { wholeNumber } from './serve.ts'

interface SummaryOptions {
  readonly by: string
  readonly since?: string
  readonly until?: string
  readonly queue?: string
  readonly task?: string
  readonly user?: string
  readonly project?: string
  readonly limit: number
}

/** `history`: what became of the jobs, in numbers. */
export function addHistoryCommand(program: Command, runtime: Runtime): void {
  const group = new Command('history').description('what became of the jobs, in numbers')
  withExamples(group, [
    'interlock history summary --by task                 # of the last day',
    'interlock history summary --by model --since 7d',
    'interlock history summary --by hour --since 2027-01-31T00:00:00Z --until 2027-02-01T00:00:00Z --json',
  ])
  group.addCommand(createSummaryCommand(runtime))
  program.addCommand(group)
}

function createSummaryCommand(runtime: Runtime): Command {
  const command = new Command('summary')
    .description('throughput, waits, durations and failures')
    .addOption(new Option('--by <what>', 'a row for each').choices(summaryKeys).default('task'))
    .addOption(new Option('--since <time>', 'from then on (ISO 8601, or 90m, 12h, 7d ago); a day before the end'))
    .addOption(new Option('--until <time>', 'up to then (ISO 8601, or so long ago); now'))
    .addOption(new Option('--queue <name>', 'only of this queue'))
    .addOption(new Option('--task <name>', 'only of this task'))
    .addOption(new Option('--user <name>', 'only of this user'))
    .addOption(new Option('--project <name>', 'only of this project'))
    .addOption(
      new Option('--limit <number>', 'how many rows')
        .argParser(wholeNumber({ least: 1, most: maxSummaryRows }))
        .default(100),
    )
  withExamples(command, [
    'interlock history summary --by user --since 12h',
    'interlock history summary --by hour --json',
  ])
  return looksWithBackend<SummaryOptions>(command, runtime, async (call, backend) => {
    const { by, since, until, queue, task, user, project, limit } = call.options
    const now = Date.now()
    const question = checkHistoryQuestion({
      by,
      since: timeOf('--since', since, now),
      until: timeOf('--until', until, now),
      queue,
      task,
      user,
      project,
      limit,
    })
    const summary = await backend.historySummary(question)
    call.show(summary, () => renderSummary(summary, call.terminal))
    return undefined
  })
}

const unitSeconds: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 }

/** `7d` is a week ago; anything else is for the contract to look at. */
function timeOf(option: string, given: string | undefined, now: number): string | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(given ?? '') ?? []
  if (count === undefined) {
    if (given === undefined || !Number.isNaN(Date.parse(given))) return given
    throw new InterlockError('invalid_argument', `${option} must be a time (2027-01-31T12:00:00Z), or 90m, 12h, 7d ago`)
  }
  return new Date(now - Number(count) * (unitSeconds[unit] ?? 0) * 1000).toISOString()
}

function renderSummary({ by, since, until, rows, is_truncated: isCut }: HistorySummary, terminal: Terminal): string {
  const range = `${showTime(since)} to ${showTime(until)}`
  if (rows.length === 0) return `nothing ended from ${range}`
  const table = renderTable(
    [
      { title: by.toUpperCase(), narrow: 'keep' },
      { title: 'ENDED', align: 'right', narrow: 'keep' },
      { title: 'FAILED', align: 'right', narrow: 'keep' },
      { title: 'PER HOUR', align: 'right', narrow: 'keep' },
      { title: 'WAIT', align: 'right', narrow: 'keep' },
      { title: 'P95', align: 'right', narrow: 'keep' },
      { title: 'RUN', align: 'right', narrow: 'keep' },
      { title: 'P95', align: 'right', narrow: 'keep' },
    ],
    rows.map((row) => [
      row.key ?? '(none)',
      String(row.ended),
      row.failed === 0 ? '' : terminal.paint('red', String(row.failed)),
      row.completed_per_hour.toFixed(1),
      ...[row.avg_wait_seconds, row.p95_wait_seconds, row.avg_run_seconds, row.p95_run_seconds].map((seconds) =>
        seconds === null ? '' : showDuration(seconds),
      ),
    ]),
    terminal,
  )
  return [terminal.paint('dim', range), table, ...(isCut ? ['… and more; --limit shows them'] : [])].join('\n')
}
