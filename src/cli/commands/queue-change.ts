import { Argument, Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import { type BulkChange, type JobSelection, waitingStatuses } from '../../domain/job-filter.ts'
import type { PriorityName } from '../../domain/priority.ts'
import {
  everyFilter,
  parsePriority,
  type SelectionOptions,
  selectionOf,
  showBulk,
  withSelection,
} from '../job-selection.ts'
import { type Call, type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { changeAll, type Steering } from '../steering.ts'

export interface ManyOptions extends SelectionOptions {
  readonly reason?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

interface Words {
  readonly name: string
  readonly change: BulkChange
  readonly description: string
  /** What has become of the jobs. */
  readonly done: string
  readonly examples: readonly string[]
}

const words: readonly Words[] = [
  {
    name: 'cancel',
    change: 'cancel',
    description: 'cancel the jobs that the filters name; what runs is asked to stop',
    done: 'cancelled',
    examples: [
      'interlock queue cancel --user alice --dry-run',
      'interlock queue cancel --model flux-dev --status running',
    ],
  },
  {
    name: 'requeue',
    change: 'requeue',
    description: 'send the dead letters that the filters name back to wait',
    done: 'requeued',
    examples: [
      'interlock queue requeue --task render --dry-run',
      'interlock queue requeue --status scheduled --queue calls',
    ],
  },
  {
    name: 'priority',
    change: 'priority',
    description: 'give the waiting jobs that the filters name another priority',
    done: 'moved',
    examples: [
      'interlock queue priority low --user alice --dry-run',
      'interlock queue priority critical --text invoice',
    ],
  },
]

/** `queue cancel`, `queue requeue`, `queue priority`: many jobs at once. */
export function createQueueChangeCommands(runtime: Runtime): readonly Command[] {
  return words.map(({ name, change, description, done, examples }) => {
    const command = new Command(name).description(description)
    if (change === 'priority') {
      command.addArgument(new Argument('<level>', 'critical, high, normal, low, or 0 to 3').argParser(parsePriority))
    }
    withSelection(command, everyFilter)
    withMany(command)
    withExamples(command, examples)
    return runsWithBackend<ManyOptions>(command, runtime, async (call, backend) => {
      const priority = change === 'priority' ? (command.processedArgs[0] as PriorityName | number) : undefined
      await changeMany(call, backend, { change, selection: selectionOf(call.options), done, priority })
      return undefined
    })
  })
}

/** `queue flush`: what waits is cancelled. */
export function createFlushCommand(runtime: Runtime): Command {
  const command = new Command('flush').description('cancel what waits: of a user, a project, a queue, or all of it')
  withSelection(command, ['user', 'project', 'queue', 'task', 'model', 'text', 'olderThan'])
  withMany(command)
  withExamples(command, [
    'interlock queue flush --dry-run',
    'interlock queue flush --user alice',
    'interlock queue flush --yes                     # everything that waits',
  ])
  return runsWithBackend<ManyOptions>(command, runtime, async (call, backend) => {
    const selection = selectionOf(call.options)
    await changeMany(call, backend, {
      change: 'cancel',
      selection: Object.keys(selection).length === 0 ? selection : { ...selection, status: [...waitingStatuses] },
      ofAll: { all: true, status: [...waitingStatuses] },
      done: 'cancelled',
      reason: 'flushed',
    })
    return undefined
  })
}

export function withMany(command: Command): void {
  command
    .addOption(new Option('--reason <text>', 'why, for their logs'))
    .addOption(new Option('--yes', 'without any filter: all of them are meant'))
    .addOption(new Option('--dry-run', 'tell how many, and change nothing'))
}

interface Many {
  readonly change: BulkChange
  readonly selection: JobSelection
  readonly done: string
  readonly priority?: PriorityName | number | undefined
  /** Unless a reason is typed. */
  readonly reason?: string
  /** What all of them are. */
  readonly ofAll?: JobSelection
}

/** Changes them, piece by piece. Without any filter it takes --yes: an operator in a hurry forgets one more easily than he means all. */
export async function changeMany(call: Call<ManyOptions>, steering: Steering, many: Many): Promise<void> {
  const { reason, dryRun = false, yes = false } = call.options
  const isAll = Object.keys(many.selection).length === 0
  if (isAll && !yes && !dryRun) {
    throw new InterlockError('invalid_argument', 'no filter is named, and that means every job', {
      hint: 'Say --yes where that is meant, and see with --dry-run how many they are.',
    })
  }
  const answer = await changeAll(
    steering,
    many.change,
    isAll ? (many.ofAll ?? { all: true }) : many.selection,
    { dryRun, reason: reason ?? many.reason ?? null, priority: many.priority },
    call.signal,
  )
  showBulk(call, answer, many.done)
}
