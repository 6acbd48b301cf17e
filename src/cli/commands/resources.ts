import { Command, InvalidArgumentError, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import type { ResourceView } from '../../domain/queue-view.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { looksWithBackend } from '../watching.ts'

interface SetOptions {
  readonly capacity?: number | null
  readonly rate?: number | null
  readonly dryRun?: boolean
}

/** `resources`: how many may use what. */
export function addResourcesCommand(program: Command, runtime: Runtime): void {
  const group = new Command('resources').description(
    'how many jobs may use a user, a model or another resource at once',
  )
  withExamples(group, [
    'interlock resources list',
    'interlock resources set model:flux-dev --capacity 2',
    'interlock resources set limit:all --capacity 1      # one job at a time in all',
    'interlock resources pause model:flux-dev            # nobody gets it; who has it goes on',
  ])
  group.addCommand(createListCommand(runtime))
  group.addCommand(createSetCommand(runtime))
  group.addCommand(createRemoveCommand(runtime))
  group.addCommand(createPauseCommand(runtime, 'pause'))
  group.addCommand(createPauseCommand(runtime, 'resume'))
  program.addCommand(group)
}

function createListCommand(runtime: Runtime): Command {
  const command = new Command('list').description(
    'every limit, and how much of it is used; without one, a resource is for one job',
  )
  withExamples(command, ['interlock resources list', 'interlock resources list --json'])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const resources = await backend.resources()
    call.show(resources, () => renderResources(resources, call.terminal))
    return undefined
  })
}

function createSetCommand(runtime: Runtime): Command {
  const command = new Command('set')
    .description('limit a resource, or all that begin alike; what is not named stays as it is')
    .argument('<resource>', 'model:flux-dev, user:*, limit:all, queue:NAME, task:NAME')
    .addOption(new Option('--capacity <jobs>', 'how many at once, or unlimited').argParser(numberOr('unlimited')))
    .addOption(new Option('--rate <starts>', 'how many may start within any minute, or any').argParser(numberOr('any')))
    .addOption(new Option('--dry-run', 'tell what it is now, and change nothing'))
  withExamples(command, [
    'interlock resources set model:flux-dev --capacity 2',
    'interlock resources set user:* --capacity unlimited',
    'interlock resources set model:api --capacity 10 --rate 60',
  ])
  return runsWithBackend<SetOptions>(command, runtime, async (call, backend) => {
    const pattern = call.argument(0)
    const { capacity, rate, dryRun } = call.options
    const settings = {
      ...(capacity === undefined ? {} : { capacity }),
      ...(rate === undefined ? {} : { starts_per_minute: rate }),
    }
    if (Object.keys(settings).length === 0) {
      throw new InterlockError('invalid_argument', 'nothing is named to be set', {
        hint: 'Name --capacity, --rate or both.',
      })
    }
    if (dryRun === true) {
      const now = (await backend.resources()).find((resource) => resource.pattern === pattern) ?? null
      call.show({ dry_run: true, pattern, now, would_set: settings }, () =>
        [
          `would set ${pattern}: ${JSON.stringify(settings)}; now it has`,
          now === null ? 'no limit of its own' : renderResources([now], call.terminal),
        ].join('\n'),
      )
      return undefined
    }
    const resource = await backend.changeResource(pattern, settings)
    call.show(resource, () => renderResources(resource === null ? [] : [resource], call.terminal))
    return undefined
  })
}

function createRemoveCommand(runtime: Runtime): Command {
  const command = new Command('remove')
    .description('take a limit away: the next wider one holds, else one job at a time')
    .argument('<resource>')
    .addOption(new Option('--dry-run', 'tell what it is now, and change nothing'))
  withExamples(command, ['interlock resources remove model:flux-dev'])
  return runsWithBackend<SetOptions>(command, runtime, async (call, backend) => {
    const pattern = call.argument(0)
    if (call.options.dryRun === true) {
      const isThere = (await backend.resources()).some((resource) => resource.pattern === pattern)
      call.show({ dry_run: true, pattern, would_remove: isThere }, () =>
        isThere ? `would remove the limit of ${pattern}` : `${pattern} has no limit of its own`,
      )
      return undefined
    }
    const removed = await backend.removeResource(pattern)
    call.show({ pattern, removed }, () =>
      removed ? `${pattern} has no limit of its own any more` : `${pattern} had none`,
    )
    return undefined
  })
}

function createPauseCommand(runtime: Runtime, verb: 'pause' | 'resume'): Command {
  const command = new Command(verb)
    .description(
      verb === 'pause' ? 'grant a resource to nobody; who holds it goes on' : 'grant a paused resource again',
    )
    .argument('<resource>', 'one, not a pattern')
    .addOption(new Option('--dry-run', 'change nothing'))
  withExamples(command, [`interlock resources ${verb} model:flux-dev`])
  return runsWithBackend<SetOptions>(command, runtime, async (call, backend) => {
    const pattern = call.argument(0)
    const isPaused = verb === 'pause'
    if (call.options.dryRun === true) {
      call.show({ dry_run: true, pattern, would_be_paused: isPaused }, () => `would ${verb} ${pattern}`)
      return undefined
    }
    const resource = await backend.changeResource(pattern, { is_paused: isPaused })
    call.show({ pattern, resource }, () => `${pattern} ${isPaused ? 'paused' : 'resumed'}`)
    return undefined
  })
}

function renderResources(resources: readonly ResourceView[], terminal: Terminal): string {
  if (resources.length === 0) return 'there is no limit: each user and each model is for one job at a time'
  return renderTable(
    [
      { title: 'RESOURCE' },
      { title: 'CAPACITY', align: 'right', narrow: 'keep' },
      { title: 'RATE', align: 'right', narrow: 'keep' },
      { title: 'HELD', align: 'right', narrow: 'keep' },
      { title: 'RESERVED', align: 'right', narrow: 'keep' },
      { title: 'LANES', align: 'right', narrow: 'keep' },
      { title: '', narrow: 'keep' },
    ],
    resources.map((resource) => [
      resource.pattern,
      resource.is_pause_only ? '' : resource.capacity === null ? 'unlimited' : String(resource.capacity),
      resource.starts_per_minute === null ? '' : `${resource.starts_per_minute}/min`,
      resource.pattern.endsWith('*') ? '' : String(resource.held),
      resource.pattern.endsWith('*') ? '' : String(resource.reserved),
      resource.pattern.endsWith('*') ? '' : String(resource.waiting_lanes),
      resource.is_paused ? terminal.paint('yellow', 'paused') : '',
    ]),
    terminal,
  )
}

function numberOr(word: string): (typed: string) => number | null {
  return (typed) => {
    if (typed === word) return null
    if (/^\d{1,6}$/.test(typed)) return Number(typed)
    throw new InvalidArgumentError(`it takes a whole number, or ${word}.`)
  }
}
