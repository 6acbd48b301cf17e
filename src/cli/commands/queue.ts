import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createListCommand } from './job-list.ts'
import { createQueueAddCommand } from './queue-add.ts'
import { createFlushCommand, createQueueChangeCommands } from './queue-change.ts'
import { createQueueImportCommand } from './queue-import.ts'
import { createQueueLimitCommand } from './queue-limit.ts'
import { createPauseCommand, createQueuePolicyCommand, createQueueSetCommand } from './queue-policy.ts'
import { createQueueStatusCommand } from './queue-status.ts'

/** `queue`: what concerns many jobs. */
export function addQueueCommand(program: Command, runtime: Runtime): void {
  const group = new Command('queue').description('put jobs in, see what runs and what waits, and change many at once')
  withExamples(group, [
    'interlock queue add resize --user alice --model flux-dev',
    'interlock queue status --verbose',
    'interlock queue list --status pending --user alice',
    'interlock queue flush --user alice --dry-run',
  ])
  group.addCommand(createQueueAddCommand(runtime))
  group.addCommand(createQueueStatusCommand(runtime))
  group.addCommand(createListCommand(runtime, 'interlock queue list'))
  for (const command of createQueueChangeCommands(runtime)) group.addCommand(command)
  group.addCommand(createFlushCommand(runtime))
  group.addCommand(createPauseCommand(runtime, 'pause'))
  group.addCommand(createPauseCommand(runtime, 'resume'))
  group.addCommand(createQueuePolicyCommand(runtime))
  group.addCommand(createQueueSetCommand(runtime))
  group.addCommand(createQueueLimitCommand(runtime))
  group.addCommand(createQueueImportCommand(runtime))
  program.addCommand(group)
}
