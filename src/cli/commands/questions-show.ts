import { Command } from 'commander'
import type { RequestView } from '../../domain/question-view.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderDetails } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showTime } from '../times.ts'

export function createQuestionShowCommand(runtime: Runtime): Command {
  const command = new Command('show').description('a question with its context, and its answer').argument('<id>')
  withExamples(command, ['interlock questions show q-a7'])
  return runsWithBackend(command, runtime, async (call, backend) => {
    const request = await backend.request(call.argument(0))
    call.show(request, () => renderRequest(request, call.terminal))
    return undefined
  })
}

export function renderRequest(request: RequestView, terminal: Terminal): string {
  const { response } = request
  return renderDetails(
    [
      ['request', terminal.paint('bold', request.id)],
      ['status', request.status],
      ['type', request.request_type],
      ['question', request.message],
      ['context', Object.keys(request.context).length === 0 ? null : JSON.stringify(request.context, null, 2)],
      ['job', `${request.job_id} ${request.task}${request.user === null ? '' : ` of ${request.user}`}`],
      ['agent', request.agent_id],
      ['asked', showTime(request.created_at)],
      ['until', showTime(request.expires_at)],
      ['conversation', request.conversation_id === request.id ? null : request.conversation_id],
      ['follows', request.parent_message_id],
      ['gave back', request.given_back?.join('\n') ?? null],
      ['answer', response === null ? null : `${response.response_type}: ${response.message}`],
      ['steps', response?.instructions.join('\n') || null],
      ['by', response === null ? null : `${response.responder_id ?? ''} (${response.generated_by})`.trim()],
      ['answered', response === null ? null : showTime(response.created_at)],
    ],
    terminal,
  )
}
