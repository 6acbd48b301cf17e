import { type Command, InvalidArgumentError, Option } from 'commander'
import { isJobStatus, jobStatuses } from '../domain/job.ts'
import type { BulkAnswer, JobSelection } from '../domain/job-filter.ts'
import { isPriorityName, type PriorityName, priorityNames } from '../domain/priority.ts'
import { wholeNumber } from './commands/serve.ts'
import type { Call } from './runtime.ts'

/** Which jobs, as typed. */
export interface SelectionOptions {
  readonly status?: readonly string[]
  readonly user?: string
  readonly project?: string
  readonly task?: string
  readonly queue?: string
  readonly model?: string
  readonly agent?: string
  readonly text?: string
  readonly error?: string
  readonly olderThan?: number
  readonly newerThan?: number
}

type SelectionName = keyof SelectionOptions

const age = wholeNumber({ least: 0, most: 1_000_000_000 })
const options: Readonly<Record<SelectionName, () => Option>> = {
  status: () => new Option('--status <names>', 'by commas').argParser(parseStatuses),
  user: () => new Option('--user <name>', 'only jobs of this user'),
  project: () => new Option('--project <name>', 'only jobs of this project'),
  task: () => new Option('--task <name>', 'only jobs of this task'),
  queue: () => new Option('--queue <name>', 'only jobs of this queue'),
  model: () => new Option('--model <name>', 'only jobs that need this model'),
  agent: () => new Option('--agent <id>', 'only jobs that this agent holds or held last'),
  text: () => new Option('--text <words>', 'only jobs with this in id, task, user, project, error or payload'),
  error: () => new Option('--error <shape>', 'only jobs that failed like this, as `dead list` has it'),
  olderThan: () => new Option('--older-than <seconds>', 'only jobs that are older').argParser(age),
  newerThan: () => new Option('--newer-than <seconds>', 'only jobs that are newer').argParser(age),
}

/** Adds the filters named to a command. */
export function withSelection(command: Command, names: readonly SelectionName[]): Command {
  for (const name of names) command.addOption(options[name]())
  return command
}

export const everyFilter = Object.keys(options) as readonly SelectionName[]

/** What was typed, as the verbs take it; empty where nothing was. */
export function selectionOf(typed: SelectionOptions): JobSelection {
  const { status, olderThan, newerThan, user, project, task, queue, model, agent, text, error } = typed
  const given = {
    status: status as JobSelection['status'],
    user,
    project,
    task,
    queue,
    model,
    agent,
    text,
    error,
    older_than_seconds: olderThan,
    newer_than_seconds: newerThan,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

export function parseStatuses(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !isJobStatus(name))
  if (unknown === undefined) return names
  throw new InvalidArgumentError(`${unknown} is no status; there are ${jobStatuses.join(', ')}.`)
}

export function parsePriority(text: string): PriorityName | number {
  if (isPriorityName(text)) return text
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number <= 3) return number
  throw new InvalidArgumentError(`it takes ${priorityNames.join(', ')}, or a number from 0 to 3.`)
}

/** Shows what became of many jobs: `12 jobs cancelled, 2 asked to stop`. */
export function showBulk(call: Call, answer: BulkAnswer, done: string): void {
  call.show(answer, () => {
    const { changed, asked_to_stop: asked, busy, dry_run: dryRun, examples } = answer
    const verb = dryRun ? `would be ${done}` : done
    const parts = [
      ...(changed > 0 || asked === 0 ? [`${count(changed)} ${verb}`] : []),
      ...(asked > 0
        ? [`${count(asked)} that ${asked === 1 ? 'runs' : 'run'} ${dryRun ? 'would be ' : ''}asked to stop`]
        : []),
      ...(busy > 0 ? [`${count(busy)} left, in other hands just now`] : []),
    ]
    const more = changed + asked > examples.length ? ', …' : ''
    return examples.length === 0 ? parts.join(', ') : `${parts.join(', ')}: ${examples.join(', ')}${more}`
  })
}

function count(jobs: number): string {
  return `${jobs} ${jobs === 1 ? 'job' : 'jobs'}`
}
