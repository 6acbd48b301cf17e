import { Command, Option } from 'commander'
import { inheritedEnvironment, readActor } from '../../config.ts'
import {
  checkLockRequest,
  defaultLeaseSeconds,
  type LockRequest,
  maxLeaseSeconds,
  maxLockWaitSeconds,
} from '../../domain/lock-request.ts'
import type { HeldLockView } from '../../domain/lock-view.ts'
import { priorityNames } from '../../domain/priority.ts'
import { type Backend, openBackend } from '../backend.ts'
import { exitCodes } from '../exit-code.ts'
import { runHolding } from '../held-command.ts'
import { type Call, type Runtime, runs, withExamples } from '../runtime.ts'
import type { Terminal } from '../terminal.ts'
import { showTime } from '../times.ts'
import { renderLocks } from './locks-list.ts'
import { wholeNumber } from './serve.ts'

interface AcquireOptions {
  readonly owner?: string
  readonly lease: number
  readonly wait: number
  readonly priority?: string
  readonly reason?: string
  readonly dryRun?: boolean
}

export function createAcquireCommand(runtime: Runtime): Command {
  const command = new Command('acquire')
    .description('lock resources by hand, all or none, in line with the jobs that need them')
    .argument('<resource...>', 'user:alice, model:flux-dev, …; behind -- a command to run while they are held')
    .addOption(new Option('--owner <name>', 'whose lock it is (you)'))
    .addOption(
      new Option('--lease <seconds>', 'it ends so long after it was last extended')
        .argParser(wholeNumber({ least: 1, most: maxLeaseSeconds }))
        .default(defaultLeaseSeconds),
    )
    .addOption(
      new Option('--wait <seconds>', 'wait for it so long')
        .argParser(wholeNumber({ least: 0, most: maxLockWaitSeconds }))
        .default(0),
    )
    .addOption(new Option('--priority <level>', `its head start: ${priorityNames.join(', ')}, or a number from 0 to 3`))
    .addOption(new Option('--reason <text>', 'why, for the log'))
    .addOption(new Option('--dry-run', 'show who holds them, and acquire nothing'))
  withExamples(command, [
    'interlock locks acquire user:alice model:flux-dev --lease 600 --wait 60',
    'interlock locks acquire repository:site -- ./deploy.sh --all   # held and extended until it ends',
  ])
  // Not with a backend that the first Ctrl-C closes: what is held then has to be given back.
  return runs<AcquireOptions>(command, runtime, async (call) => {
    const request = checkLockRequest(asRequest(call))
    const signal = new AbortController().signal
    const prefersDatabase = call.options.databaseUrl !== undefined
    const backend = await openBackend(call.load().config, { signal, prefersDatabase })
    try {
      if (call.options.dryRun === true) return await showHolders(call, backend, request)
      const lock = await backend.acquireLock(request, call.signal)
      if (runtime.behindDashes.length === 0) {
        call.show(lock, () => renderLock(lock, call.terminal))
        return undefined
      }
      return await runHolding(
        { words: runtime.behindDashes, environment: inheritedEnvironment(), lock, leaseSeconds: request.lease_seconds },
        { backend, terminal: call.terminal, signal: call.signal },
      )
    } finally {
      await backend.close()
    }
  })
}

function asRequest({ options, words }: Call<AcquireOptions>): Record<string, unknown> {
  const { priority } = options
  const isNumber = priority !== undefined && /^\d+(\.\d+)?$/.test(priority)
  return {
    resources: words(0),
    owner: options.owner ?? readActor() ?? 'somebody',
    lease_seconds: options.lease,
    wait_seconds: options.wait,
    ...(priority === undefined ? {} : { priority: isNumber ? Number(priority) : priority }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  }
}

async function showHolders(call: Call, backend: Backend, request: LockRequest) {
  const held = await Promise.all(request.resources.map((resource) => backend.locks({ resource })))
  call.show({ dry_run: true, request, held: held.flat() }, () =>
    [`would lock ${request.resources.join(', ')} for ${request.owner}`, renderLocks(held.flat(), call.terminal)].join(
      '\n',
    ),
  )
  return exitCodes.ok
}

function renderLock({ lock_id: id, token, fences, lease_until: until }: HeldLockView, terminal: Terminal): string {
  const resources = Object.entries(fences).map(([resource, fence]) => `${resource} fence ${fence}`)
  return [`${terminal.paint('bold', id)} token ${token} until ${showTime(until)}`, ...resources].join('\n')
}
