import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createChangeCommand } from './job-change.ts'
import { createExplainCommand } from './job-explain.ts'
import { createListCommand } from './job-list.ts'
import { createOutputCommand } from './job-output.ts'
import { createPriorityCommand } from './job-priority.ts'
import { createShowCommand } from './job-show.ts'
import { createTimelineCommand } from './job-timeline.ts'
import { createWaitCommand } from './job-wait.ts'

const changes = ['start', 'approve', 'reject', 'cancel', 'requeue', 'release', 'delete'] as const

/** `job`: what concerns one job. */
export function addJobCommand(program: Command, runtime: Runtime): void {
  const group = new Command('job').description(
    'one job: show it, explain it, read its output, wait for it, approve it, stop it',
  )
  withExamples(group, [
    'interlock job explain d1024          # why is it waiting?',
    'interlock job output d1024 -f        # read along while it runs',
    'interlock job wait d1024 && echo done',
  ])
  group.addCommand(createShowCommand(runtime))
  group.addCommand(createExplainCommand(runtime))
  group.addCommand(createOutputCommand(runtime))
  group.addCommand(createTimelineCommand(runtime))
  group.addCommand(createWaitCommand(runtime))
  for (const change of changes) group.addCommand(createChangeCommand(runtime, change))
  group.addCommand(createPriorityCommand(runtime))
  group.addCommand(createListCommand(runtime, 'interlock job list'))
  program.addCommand(group)
}
