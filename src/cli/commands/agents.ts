import type { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createAllocateCommand } from './agents-allocate.ts'
import { createAgentChangeCommand } from './agents-change.ts'
import { createAgentStatusCommand } from './agents-status.ts'

/** `agents`: who runs jobs, how loaded, and what a person does about it. */
export function addAgentsCommand(program: Command, runtime: Runtime): void {
  const group = program.command('agents').description('the processes that run jobs')
  withExamples(group, [
    'interlock agents status --sort-by load',
    'interlock agents allocate                       # more of them, or fewer?',
    'interlock agents suspend gpu-1 --reason "new driver"',
  ])
  group.addCommand(createAgentStatusCommand(runtime))
  group.addCommand(createAllocateCommand(runtime))
  group.addCommand(createAgentChangeCommand(runtime, 'drain'))
  group.addCommand(createAgentChangeCommand(runtime, 'suspend'))
  group.addCommand(createAgentChangeCommand(runtime, 'resume'))
}
