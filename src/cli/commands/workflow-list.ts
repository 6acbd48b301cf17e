import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import { looksWithBackend } from '../watching.ts'

export function createWorkflowListCommand(runtime: Runtime): Command {
  const command = new Command('list').description('every workflow with its steps and the models that it requires')
  withExamples(command, ['interlock workflow list', 'interlock workflow list --json'])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const workflows = await backend.workflows()
    call.show(workflows, () => {
      if (workflows.length === 0) return 'no workflow is defined'
      return renderTable(
        [
          { title: 'WORKFLOW', narrow: 'keep' },
          { title: 'VERSION', align: 'right', narrow: 'keep' },
          { title: 'HOLDS', narrow: 'keep' },
          { title: 'STEPS', narrow: 'wrap' },
          { title: 'MODELS', narrow: 'wrap' },
        ],
        workflows.map(({ id, version, hold, steps, required_models: models }) => [
          id,
          String(version),
          hold === 'run' ? 'all' : 'by step',
          steps.map(({ name }) => name).join(', '),
          models.join(', '),
        ]),
        call.terminal,
      )
    })
    return undefined
  })
}
