import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createListCommand } from './job-list.ts'
import { createQueueAddCommand } from './queue-add.ts'
import { createQueueStatusCommand } from './queue-status.ts'

/** `queue`: what concerns many jobs. */
export function addQueueCommand(program: Command, runtime: Runtime): void {
  const group = new Command('queue').description('put jobs in, and see what runs and what waits')
  withExamples(group, [
    'interlock queue add resize --user alice --model flux-dev',
    'interlock queue status --verbose',
    'interlock queue list --status pending --user alice',
  ])
  group.addCommand(createQueueAddCommand(runtime))
  group.addCommand(createQueueStatusCommand(runtime))
  group.addCommand(createListCommand(runtime, 'interlock queue list'))
  program.addCommand(group)
}
