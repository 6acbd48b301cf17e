import { Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import type { QueueView } from '../../domain/queue-view.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showDuration } from '../times.ts'

interface SetOptions {
  readonly create?: boolean
  readonly dryRun?: boolean
}

/** `queue pause` and `queue resume`. */
export function createPauseCommand(runtime: Runtime, verb: 'pause' | 'resume'): Command {
  const isPaused = verb === 'pause'
  const command = new Command(verb)
    .description(isPaused ? 'start no further jobs of a queue; what runs goes on' : 'start the jobs of a queue again')
    .argument('<queue>')
    .addOption(new Option('--dry-run', 'tell what it is now, and change nothing'))
  withExamples(command, [`interlock queue ${verb} default`])
  return runsWithBackend<SetOptions>(command, runtime, async (call, backend) => {
    const name = call.argument(0)
    if (call.options.dryRun === true) {
      const queue = await findQueue(await backend.queues(), name)
      call.show({ dry_run: true, queue: name, is_paused: queue.is_paused, would_be_paused: isPaused }, () =>
        queue.is_paused === isPaused
          ? `${name} is ${isPaused ? 'paused' : 'not paused'} already`
          : `would ${verb} ${name}`,
      )
      return undefined
    }
    const queue = await backend.changeQueue(name, { is_paused: isPaused })
    call.show(queue, () => `${name} ${isPaused ? 'paused' : 'resumed'}`)
    return undefined
  })
}

/** `queue set`: its policy at run time. */
export function createQueueSetCommand(runtime: Runtime): Command {
  const command = new Command('set')
    .description('change the policy of a queue while everything runs; `queue policy` shows it')
    .argument('<queue>')
    .argument('<settings...>', 'name=value, the value as JSON: max_attempts=5 tasks=\'["resize"]\'')
    .addOption(new Option('--create', 'make the queue where there is none'))
    .addOption(new Option('--dry-run', 'tell what would change, and change nothing'))
  withExamples(command, [
    'interlock queue set default max_attempts=5 ttl_seconds=0',
    'interlock queue set calls retry_delays_seconds=\'{"exponential": {"first_seconds": 10}}\' --create',
  ])
  return runsWithBackend<SetOptions>(command, runtime, async (call, backend) => {
    const name = call.argument(0)
    const settings = Object.fromEntries(call.words(1).map(parseSetting))
    const { dryRun = false, create: mayCreate = false } = call.options
    if (dryRun) {
      const queues = await backend.queues()
      const now = mayCreate ? queues.find((queue) => queue.name === name) : findQueue(queues, name)
      const changes = Object.entries(settings).map(([key, to]) => ({ key, from: now?.[key] ?? null, to }))
      call.show({ dry_run: true, queue: name, changes }, () =>
        changes
          .map(({ key, from, to }) => `would set ${key} of ${name}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`)
          .join('\n'),
      )
      return undefined
    }
    const queue = await backend.changeQueue(name, settings, { mayCreate })
    call.show(queue, () =>
      Object.keys(settings)
        .map((key) => `${name} ${key} ${JSON.stringify(queue[key])}`)
        .join('\n'),
    )
    return undefined
  })
}

/** `queue policy`: the queues and what each says. */
export function createQueuePolicyCommand(runtime: Runtime): Command {
  const command = new Command('policy').description('the queues and their policy; --json has every setting')
  withExamples(command, ['interlock queue policy', 'interlock queue policy --json'])
  return runsWithBackend(command, runtime, async (call, backend) => {
    const queues = await backend.queues()
    call.show(queues, () => renderQueues(queues, call.terminal))
    return undefined
  })
}

function renderQueues(queues: readonly QueueView[], terminal: Terminal): string {
  return renderTable(
    [
      { title: 'QUEUE', narrow: 'keep' },
      { title: '', narrow: 'keep' },
      { title: 'ORDER' },
      { title: 'TTL', align: 'right' },
      { title: 'TIMEOUT', align: 'right' },
      { title: 'ATTEMPTS', align: 'right' },
      { title: 'WAITS' },
    ],
    queues.map((queue) => [
      queue.name,
      queue.is_paused ? terminal.paint('yellow', 'paused') : '',
      String(queue.scheduling),
      queue.ttl_seconds === 0 ? 'none' : showDuration(Number(queue.ttl_seconds)),
      showDuration(Number(queue.timeout_seconds)),
      String(queue.max_attempts),
      (queue.retry_delays_seconds as readonly number[]).join(' '),
    ]),
    terminal,
  )
}

function findQueue(queues: readonly QueueView[], name: string): QueueView {
  const queue = queues.find((candidate) => candidate.name === name)
  if (queue !== undefined) return queue
  throw new InterlockError('queue_not_found', `queue ${name} does not exist`)
}

/** `max_attempts=5`, `scheduling=fifo`: what is no JSON is the text itself. */
export function parseSetting(word: string): readonly [string, unknown] {
  const [, key = '', value = ''] = /^([a-z_]+)=(.*)$/s.exec(word) ?? []
  if (key === '') throw new InterlockError('invalid_argument', `${word} is not name=value`)
  try {
    return [key, JSON.parse(value)]
  } catch {
    return [key, value]
  }
}
