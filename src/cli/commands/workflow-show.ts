import { Command } from 'commander'
import type { ExecutionView } from '../../domain/workflow.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderDetails } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showTime } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

export function createExecutionCommand(runtime: Runtime): Command {
  const command = new Command('show').description('where an execution is, and who blocks it').argument('<execution>')
  withExamples(command, [
    'interlock workflow show d1024',
    'interlock workflow show d1024 --json | jq .current_step_model',
  ])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const execution = await backend.getExecution(call.argument(0))
    call.show(execution, () => renderExecution(execution, call.terminal))
    return undefined
  })
}

export function renderExecution(execution: ExecutionView, terminal: Terminal): string {
  const { current_step: step, steps } = execution
  return renderDetails(
    [
      ['execution', terminal.paint('bold', execution.id)],
      ['workflow', `${execution.workflow_id}, version ${execution.version}`],
      ['status', execution.status],
      ['step', step === null ? null : `${step} of ${steps.length}: ${execution.current_step_name}`],
      ['model', execution.current_step_model],
      ['blocked by', execution.blocked_by_job_id],
      ['because', execution.conflict_reason],
      ['models', execution.required_models.join(', ')],
      ['held', execution.hold === 'run' ? 'all of them for the whole run' : 'each for its step'],
      ['jobs', execution.job_ids.join(', ')],
      ['user', execution.user],
      ['project', execution.project],
      ['created', showTime(execution.created_at)],
      ['started', showTime(execution.started_at)],
      ['finished', showTime(execution.finished_at)],
    ],
    terminal,
  )
}
