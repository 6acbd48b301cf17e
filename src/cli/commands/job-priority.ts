import { Argument, Command, Option } from 'commander'
import type { PriorityName } from '../../domain/priority.ts'
import { parsePriority } from '../job-selection.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

interface PriorityOptions {
  readonly reason?: string
  readonly dryRun?: boolean
}

/** `job priority`: its head start over others. */
export function createPriorityCommand(runtime: Runtime): Command {
  const command = new Command('priority')
    .description('change the head start of a job; its queue stays')
    .argument('<id>')
    .addArgument(
      new Argument('<level>', 'critical, high, normal, low, or a number from 0 to 3').argParser(parsePriority),
    )
    .addOption(new Option('--reason <text>', 'why, for its log'))
    .addOption(new Option('--dry-run', 'show what would change, and change nothing'))
  withExamples(command, [
    'interlock job priority d1024 critical --reason "the customer waits"',
    'interlock job priority d1024 2.5',
  ])
  return runsWithBackend<PriorityOptions>(command, runtime, async (call, backend) => {
    const id = call.argument(0)
    const priority = command.processedArgs[1] as PriorityName | number
    if (call.options.dryRun === true) {
      const { priority_number: from } = await backend.getJob(id)
      call.show(
        { dry_run: true, job_id: id, from, to: priority },
        () => `would change the priority of ${id}: ${from} -> ${priority}`,
      )
      return undefined
    }
    await backend.setPriority(id, priority, call.options.reason ?? null)
    call.show({ job_id: id, priority }, () => `${id} ${priority}`)
    return undefined
  })
}
