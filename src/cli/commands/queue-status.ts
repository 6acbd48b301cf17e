import { Command, Option } from 'commander'
import { renderQueueStatus } from '../queue-report.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { looksWithBackend } from '../watching.ts'

interface StatusOptions {
  readonly verbose?: boolean
}

export function createQueueStatusCommand(runtime: Runtime): Command {
  const command = new Command('status')
    .description('what runs with which models for whom, what waits for what, and who holds what')
    .addOption(new Option('-v, --verbose', 'every job that is listed, locks by user, counts by queue'))
  withExamples(command, ['interlock queue status', 'interlock queue status --verbose', 'interlock queue status --json'])
  return looksWithBackend<StatusOptions>(command, runtime, async (call, backend) => {
    const status = await backend.queueStatus()
    call.show(status, () => renderQueueStatus(status, { isVerbose: call.options.verbose === true }, call.terminal))
    return undefined
  })
}
