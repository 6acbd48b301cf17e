import { Command, Option } from 'commander'
import type { LockView } from '../../domain/lock-view.ts'
import type { LockFilter } from '../backend.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showDuration, showSince } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

export function createLockListCommand(runtime: Runtime): Command {
  const command = new Command('list')
    .description('each slot of a resource that a job or a lock holds, or that is reserved for who is next')
    .addOption(new Option('--resource <kind:value>', 'only this one'))
    .addOption(new Option('--owner <name>', 'only what this user or owner holds'))
    .addOption(new Option('--kind <kind>', 'only jobs, or only locks held by hand').choices(['job', 'lock']))
  withExamples(command, ['interlock locks list', 'interlock locks list --resource user:alice --json'])
  return looksWithBackend<LockFilter>(command, runtime, async (call, backend) => {
    const { resource, owner, kind } = call.options
    const locks = await backend.locks({ resource, owner, kind })
    call.show(locks, () => renderLocks(locks, call.terminal))
    return undefined
  })
}

/** A row for each slot. */
export function renderLocks(locks: readonly LockView[], terminal: Terminal): string {
  if (locks.length === 0) return 'nothing is held'
  return renderTable(
    [
      { title: 'RESOURCE' },
      { title: 'HOLDER', narrow: 'keep' },
      { title: 'OF' },
      { title: 'SINCE', align: 'right', narrow: 'keep' },
      { title: 'LEASE', align: 'right', narrow: 'keep' },
      { title: 'FENCE', align: 'right', narrow: 'keep' },
      { title: '', narrow: 'keep' },
    ],
    locks.map((lock) => [
      lock.resource,
      `${lock.kind} ${lock.job_id ?? ''}`,
      lock.owner ?? '',
      showSince(lock.since) ?? '',
      lock.lease_until === null ? '' : showDuration((Date.parse(lock.lease_until) - Date.now()) / 1000),
      lock.fence === null ? '' : String(lock.fence),
      stateOf(lock, terminal),
    ]),
    terminal,
  )
}

function stateOf({ state, cancel_requested_at: cancelRequestedAt }: LockView, terminal: Terminal): string {
  if (state === 'reserved') return terminal.paint('dim', 'reserved')
  return cancelRequestedAt === null ? '' : terminal.paint('yellow', 'asked to stop')
}
