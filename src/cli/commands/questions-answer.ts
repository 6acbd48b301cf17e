import { Command, Option } from 'commander'
import { checkResponse, type ResponseType, responseTypes } from '../../domain/question.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderRequest } from './questions-show.ts'

interface AnswerOptions {
  readonly type?: ResponseType
  readonly by?: string
  readonly instruction?: readonly string[]
  readonly automated?: boolean
  readonly dryRun?: boolean
}

export function createAnswerCommand(runtime: Runtime): Command {
  const command = new Command('answer')
    .description('answer a question, once; an approval is told which: approval or rejection')
    .argument('<id>', 'of the question')
    .argument('[text]', 'the answer')
    .addOption(new Option('--type <type>', 'what it is; answer unless set').choices(responseTypes))
    .addOption(new Option('--by <name>', 'who answers; you, unless set'))
    .addOption(
      new Option('--instruction <text>', 'a step to take; may be given several times').argParser(
        (step: string, steps: readonly string[] | undefined) => [...(steps ?? []), step],
      ),
    )
    .addOption(new Option('--automated', 'it was no human who answered'))
    .addOption(new Option('--dry-run', 'show the question, and answer nothing'))
  withExamples(command, [
    'interlock questions answer q-a7 "Use main." --by alice',
    'interlock questions answer q-a8 --type approval',
    'interlock questions answer q-a8 "Not on a Friday." --type rejection',
  ])
  return runsWithBackend<AnswerOptions>(command, runtime, async (call, backend) => {
    const id = call.argument(0)
    const message = call.optionalArgument(1)
    const { type, by, instruction, automated, dryRun } = call.options
    const response = checkResponse({
      ...(type === undefined ? {} : { response_type: type }),
      ...(message === null ? {} : { message }),
      ...(instruction === undefined ? {} : { instructions: instruction }),
      ...(by === undefined ? {} : { responder_id: by }),
      ...(automated === true ? { generated_by: 'automated' } : {}),
    })
    if (dryRun === true) {
      const request = await backend.request(id)
      call.show({ dry_run: true, request, would_answer: response }, () => renderRequest(request, call.terminal))
      return undefined
    }
    const request = await backend.answer(id, response)
    const again = request.is_away ? `; the job takes ${request.given_back?.join(', ')} again first` : ''
    call.show(request, () => `${id} of job ${request.job_id}: ${request.response?.response_type}${again}`)
    return undefined
  })
}
