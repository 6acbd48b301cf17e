import { Command, Option } from 'commander'
import { paintStatus } from '../job-words.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

export function createScheduleRunCommand(runtime: Runtime): Command {
  const command = new Command('run')
    .description('enqueue the job of a schedule now, beside its times')
    .argument('<name>', 'its name')
    .addOption(new Option('--dry-run', 'show the job, and enqueue nothing'))
  withExamples(command, ['interlock schedule run nightly', 'interlock schedule run nightly --dry-run'])
  return runsWithBackend<{ readonly dryRun?: boolean }>(command, runtime, async (call, backend) => {
    const name = call.argument(0)
    if (call.options.dryRun === true) {
      const { job } = await backend.schedules.show(name, 1)
      call.show({ dry_run: true, job }, () => `would enqueue ${JSON.stringify(job, null, 2)}`)
      return undefined
    }
    const job = await backend.schedules.run(name)
    call.show(job, () => `${job.id} ${paintStatus(job.status as 'pending', call.terminal)}`)
    return undefined
  })
}
