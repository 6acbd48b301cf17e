import { Command, Option } from 'commander'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

interface CancelOptions {
  readonly reason?: string
  readonly dryRun?: boolean
}

const ended: readonly string[] = ['completed', 'failed', 'cancelled', 'expired', 'deleted']

export function createExecutionCancelCommand(runtime: Runtime): Command {
  const command = new Command('cancel')
    .description('cancel a run with all of its jobs: those that wait at once, the one that runs as soon as it is gone')
    .argument('<execution>')
    .addOption(new Option('--reason <text>', 'why, for the log of each of its jobs'))
    .addOption(new Option('--dry-run', 'show where it is, and change nothing'))
  withExamples(command, [
    'interlock workflow cancel d1024 --reason "wrong picture"',
    'interlock workflow cancel d1024 --dry-run',
  ])
  return runsWithBackend<CancelOptions>(command, runtime, async (call, backend) => {
    const id = call.argument(0)
    if (call.options.dryRun === true) {
      const { status, current_step_name: step, job_ids: jobs } = await backend.getExecution(id)
      const hasEnded = ended.includes(status)
      call.show({ dry_run: true, id, from: status, to: hasEnded ? status : 'cancelled', job_ids: jobs }, () =>
        hasEnded
          ? `would be refused: ${id} has ended, it is ${status}`
          : `would cancel ${id}: ${status}${step === null ? '' : ` at ${step}`} -> cancelled`,
      )
      return undefined
    }
    const { status, cancelled, asked } = await backend.cancelExecution(id, call.options.reason ?? null)
    call.show({ id, status, cancelled, asked }, () =>
      [
        `${id} ${status}`,
        ...(cancelled.length === 0 ? [] : [`cancelled: ${cancelled.join(', ')}`]),
        ...(asked.length === 0 ? [] : [`asked to stop: ${asked.join(', ')}`]),
      ].join('\n'),
    )
    return undefined
  })
}
