import { Command, Option } from 'commander'
import type { DeadLetters } from '../../domain/dead-letter.ts'
import { everyFilter, type SelectionOptions, selectionOf, withSelection } from '../job-selection.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showSince } from '../times.ts'
import { looksWithBackend } from '../watching.ts'
import { changeMany, type ManyOptions, withMany } from './queue-change.ts'
import { wholeNumber } from './serve.ts'

interface ListOptions extends SelectionOptions {
  readonly limit: number
  readonly verbose?: boolean
}

/** All but the state, which is one. */
const filters = everyFilter.filter((name) => name !== 'status')

/** `dead`: what failed for good. */
export function addDeadCommand(program: Command, runtime: Runtime): void {
  const group = new Command('dead').description('dead letters: jobs that failed for the last time')
  withExamples(group, [
    'interlock dead list                                  # by error, the most frequent first',
    'interlock dead requeue --error "connect ECONNREFUSED <n>:<n>" --dry-run',
    'interlock dead clear --older-than 604800',
  ])
  group.addCommand(createDeadListCommand(runtime))
  group.addCommand(createDeadChangeCommand(runtime, 'requeue'))
  group.addCommand(createDeadChangeCommand(runtime, 'clear'))
  program.addCommand(group)
}

function createDeadListCommand(runtime: Runtime): Command {
  const command = new Command('list')
    .description('dead letters by error: how many, since when, and the latest as an example')
    .addOption(
      new Option('--limit <number>', 'at most so many errors')
        .argParser(wholeNumber({ least: 1, most: 1000 }))
        .default(100),
    )
    .addOption(new Option('-v, --verbose', 'with the stack and the input of the examples'))
  withSelection(command, filters)
  withExamples(command, [
    'interlock dead list',
    'interlock dead list --task render --verbose',
    'interlock dead list --json',
  ])
  return looksWithBackend<ListOptions>(command, runtime, async (call, backend) => {
    const letters = await backend.deadLetters(selectionOf(call.options), call.options.limit)
    call.show(letters, () => renderDeadLetters(letters, call.terminal, call.options.verbose === true))
    return undefined
  })
}

function createDeadChangeCommand(runtime: Runtime, verb: 'requeue' | 'clear'): Command {
  const command = new Command(verb).description(
    verb === 'requeue' ? 'send dead letters back to wait, as new' : 'delete dead letters; their history stays',
  )
  withSelection(command, filters)
  withMany(command)
  withExamples(command, [
    `interlock dead ${verb} --task render --dry-run`,
    `interlock dead ${verb} --yes     # all of them`,
  ])
  return runsWithBackend<ManyOptions>(command, runtime, async (call, backend) => {
    const selection = selectionOf(call.options)
    await changeMany(call, backend, {
      change: verb === 'requeue' ? 'requeue' : 'delete',
      selection: Object.keys(selection).length === 0 ? selection : { ...selection, status: ['failed'] },
      ofAll: { all: true, status: ['failed'] },
      done: verb === 'requeue' ? 'requeued' : 'deleted',
    })
    return undefined
  })
}

function renderDeadLetters({ groups, is_cut: isCut }: DeadLetters, terminal: Terminal, isVerbose: boolean): string {
  if (groups.length === 0) return 'no dead letters'
  const table = renderTable(
    [
      { title: 'JOBS', align: 'right', narrow: 'keep' },
      { title: 'FIRST', align: 'right', narrow: 'keep' },
      { title: 'LAST', align: 'right', narrow: 'keep' },
      { title: 'TASKS' },
      { title: 'EXAMPLE', narrow: 'keep' },
      { title: 'ERROR', narrow: 'wrap' },
    ],
    groups.map((group) => [
      String(group.jobs),
      showSince(group.first_at) ?? '',
      showSince(group.last_at) ?? '',
      group.tasks.join(' '),
      group.example.job_id,
      group.error,
    ]),
    terminal,
  )
  const notes = isCut ? ['there are more: the latest 10000 were counted'] : []
  const examples = isVerbose
    ? groups.map(({ example }) =>
        [
          `${terminal.paint('bold', example.job_id)} after ${example.attempts} of ${example.max_attempts} attempts`,
          String(example.error?.stack ?? example.error?.message ?? ''),
          JSON.stringify(example.payload),
        ].join('\n'),
      )
    : []
  return [table, ...notes, ...examples].join('\n')
}
