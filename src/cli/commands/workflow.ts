import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createApplyCommand } from './workflow-apply.ts'
import { createExecutionCancelCommand } from './workflow-cancel.ts'
import { createWorkflowListCommand } from './workflow-list.ts'
import { createRunCommand } from './workflow-run.ts'
import { createExecutionCommand } from './workflow-show.ts'

/** `workflow`: several steps, each with its model, as one thing. */
export function addWorkflowCommand(program: Command, runtime: Runtime): void {
  const group = new Command('workflow').description('several steps, each with its model: define, run and follow them')
  withExamples(group, [
    'interlock workflow apply knight.toml --dry-run',
    'interlock workflow list',
    'interlock workflow run knight --user alice --input @knight.json',
    'interlock workflow show d1024',
    'interlock workflow cancel d1024 --reason "wrong picture"',
  ])
  group.addCommand(createApplyCommand(runtime))
  group.addCommand(createWorkflowListCommand(runtime))
  group.addCommand(createRunCommand(runtime))
  group.addCommand(createExecutionCommand(runtime))
  group.addCommand(createExecutionCancelCommand(runtime))
  program.addCommand(group)
}
