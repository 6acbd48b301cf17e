import { Command, Option } from 'commander'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import { showDuration } from '../times.ts'
import { wholeNumber } from './serve.ts'

interface SweepOptions {
  readonly olderThan: number
  readonly project?: string
  readonly dryRun?: boolean
}

export function createSweepCommand(runtime: Runtime): Command {
  const command = new Command('sweep')
    .description('release the locks held by hand for too long, and tell which jobs hold for as long')
    .addOption(
      new Option('--older-than <seconds>', 'what counts as too long')
        .argParser(wholeNumber({ least: 0, most: 1_000_000_000 }))
        .makeOptionMandatory(),
    )
    .addOption(new Option('--project <name>', 'only what its jobs hold, and whoever holds project:NAME'))
    .addOption(new Option('--dry-run', 'tell, and release nothing'))
  withExamples(command, [
    'interlock locks sweep --older-than 3600',
    'interlock locks sweep --older-than 3600 --dry-run',
    'interlock locks sweep --older-than 0 --project site',
  ])
  return runsWithBackend<SweepOptions>(command, runtime, async (call, backend) => {
    const dryRun = call.options.dryRun === true
    const swept = await backend.sweepLocks(call.options.olderThan, { dryRun, project: call.options.project })
    call.show(swept, () => {
      if (swept.length === 0) return `nothing is held for longer than ${showDuration(call.options.olderThan)}`
      return renderTable(
        [
          { title: 'HOLDER', narrow: 'keep' },
          { title: 'OF' },
          { title: 'FOR', align: 'right', narrow: 'keep' },
          { title: 'STATUS', narrow: 'keep' },
          { title: 'HOLDS', narrow: 'wrap' },
        ],
        swept.map(({ kind, job_id: id, owner, held_seconds: seconds, status, resources }) => [
          `${kind} ${id}`,
          owner ?? '',
          showDuration(seconds),
          status === 'held' ? 'would be released' : status,
          resources.join(' '),
        ]),
        call.terminal,
      )
    })
    return undefined
  })
}
