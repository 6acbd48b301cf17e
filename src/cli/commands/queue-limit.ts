import { Command, Option } from 'commander'
import type { BacklogLimit } from '../../domain/backlog-limit.ts'
import { InterlockError } from '../../domain/errors.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface LimitOptions {
  readonly whenFull?: 'refuse' | 'drop_oldest'
  readonly dryRun?: boolean
}

/** `queue limit`: how many unfinished jobs there may be, of everything, a queue or a task. */
export function createQueueLimitCommand(runtime: Runtime): Command {
  const command = new Command('limit')
    .description(
      'how many unfinished jobs there may be, in all, of a queue or of a task; without words: what is limited',
    )
    .argument('[scope]', 'all, queue:NAME or task:NAME')
    .argument('[most]', 'a whole number, or unlimited')
    .addOption(
      new Option('--when-full <what>', 'refuse one more, or delete the oldest that waits for it').choices([
        'refuse',
        'drop_oldest',
      ]),
    )
    .addOption(new Option('--dry-run', 'tell what it is now, and change nothing'))
  withExamples(command, [
    'interlock queue limit',
    'interlock queue limit all 100000',
    'interlock queue limit task:analyze_project 3 --when-full drop_oldest',
    'interlock queue limit queue:low unlimited --dry-run',
  ])
  return runsWithBackend<LimitOptions>(command, runtime, async (call, backend) => {
    const scope = call.optionalArgument(0)
    if (scope === null) {
      const limits = await backend.backlogLimits()
      call.show(limits, () => renderLimits(limits, call.terminal))
      return undefined
    }
    const wanted = readMost(call.optionalArgument(1))
    const { whenFull, dryRun = false } = call.options
    if (dryRun) {
      const now = (await backend.backlogLimits()).find((limit) => limit.scope === scope)
      call.show({ dry_run: true, scope, from: now?.max_unfinished ?? null, to: wanted }, () =>
        [`would limit ${scope}: ${words(now?.max_unfinished ?? null)} -> ${words(wanted)}`, ...sayFull(now)].join('\n'),
      )
      return undefined
    }
    const settings = { max_unfinished: wanted, ...(whenFull === undefined ? {} : { when_full: whenFull }) }
    const limit = await backend.changeBacklogLimit(scope, settings)
    call.show({ scope, limit }, () => [`${scope} ${words(wanted)}`, ...sayFull(limit)].join('\n'))
    return undefined
  })
}

function readMost(text: string | null): number | null {
  if (text === 'unlimited') return null
  if (text !== null && /^\d{1,8}$/.test(text)) return Number(text)
  throw new InterlockError('invalid_argument', 'how many? a whole number, or unlimited', { field: 'max_unfinished' })
}

function words(most: number | null): string {
  return most === null ? 'unlimited' : `at most ${most}`
}

function sayFull(limit: BacklogLimit | null | undefined): readonly string[] {
  return limit?.reason == null ? [] : [limit.reason]
}

function renderLimits(limits: readonly BacklogLimit[], terminal: Terminal): string {
  if (limits.length === 0) return 'nothing is limited'
  return renderTable(
    [
      { title: 'SCOPE', narrow: 'keep' },
      { title: 'UNFINISHED', align: 'right' },
      { title: 'AT MOST', align: 'right' },
      { title: 'WHEN FULL' },
      { title: '', narrow: 'wrap' },
    ],
    limits.map((limit) => [
      limit.scope,
      limit.unfinished === null ? '' : String(limit.unfinished),
      limit.max_unfinished === null ? 'unlimited' : String(limit.max_unfinished),
      limit.max_unfinished === null ? '' : limit.when_full,
      limit.reason === null ? '' : terminal.paint('yellow', limit.reason),
    ]),
    terminal,
  )
}
