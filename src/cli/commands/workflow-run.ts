import { Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import { checkExecution } from '../../domain/workflow.ts'
import { parseJson, readText } from '../new-job.ts'
import { type Call, type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderExecution } from './workflow-show.ts'

interface RunOptions {
  readonly input?: string
  readonly user?: string
  readonly project?: string
  readonly priority?: string
  readonly queue?: string
  readonly model?: readonly string[]
  readonly id?: string
  readonly delay?: string
  readonly dryRun?: boolean
}

export function createRunCommand(runtime: Runtime): Command {
  const command = new Command('run')
    .description('run a workflow')
    .argument('<workflow>')
    .addOption(new Option('--input <json>', 'what it works on: an object, @file, or - for stdin'))
    .addOption(new Option('--user <name>', 'whose it is: one job at a time'))
    .addOption(new Option('--project <name>', 'to filter by'))
    .addOption(new Option('--priority <level>', 'critical, high, normal, low, or a number from 0 to 3'))
    .addOption(new Option('--queue <name>', 'unless set, the workflow’s'))
    .addOption(
      new Option('--model <step=model>', 'another model for a step; may be repeated').argParser(
        (value: string, before: readonly string[] = []) => [...before, value],
      ),
    )
    .addOption(new Option('--id <id>', 'an id of your own'))
    .addOption(new Option('--delay <seconds>', 'not before so many seconds'))
    .addOption(new Option('--dry-run', 'check it, show it, and run nothing'))
  withExamples(command, [
    'interlock workflow run knight --input \'{"input_image": "…"}\'',
    'interlock workflow run knight --model animate=motion-3.0 --user alice',
  ])
  return runsWithBackend<RunOptions>(command, runtime, async (call, backend) => {
    const id = call.argument(0)
    const request = checkExecution(await readRequest(call))
    if (call.options.dryRun === true) {
      const workflow = await backend.getWorkflow(id)
      call.show({ dry_run: true, workflow: id, version: workflow.version, request }, () =>
        [
          `would run ${id}, version ${workflow.version}, which takes ${workflow.required_models.join(', ') || 'no model'}:`,
          JSON.stringify(request, null, 2),
        ].join('\n'),
      )
      return undefined
    }
    const execution = await backend.executeWorkflow(id, request)
    call.show(execution, () => renderExecution(execution, call.terminal))
    return undefined
  })
}

async function readRequest({ options }: Call<RunOptions>): Promise<Record<string, unknown>> {
  const isNumber = (text: string | undefined) => text !== undefined && /^\d+(\.\d+)?$/.test(text)
  const fields = {
    input: options.input === undefined ? {} : parseJson('--input', await readText('--input', options.input)),
    user: options.user,
    project: options.project,
    priority: isNumber(options.priority) ? Number(options.priority) : options.priority,
    queue: options.queue,
    models: options.model === undefined ? undefined : Object.fromEntries(options.model.map(readOverride)),
    id: options.id,
    delay_seconds: isNumber(options.delay) ? Number(options.delay) : options.delay,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function readOverride(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new InterlockError('invalid_argument', `--model ${text} must be step=model`, { field: 'models' })
}
