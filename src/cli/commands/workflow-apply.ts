import { isDeepStrictEqual } from 'node:util'
import { Command, Option } from 'commander'
import { readDefinitions } from '../../config/definition-file.ts'
import { InterlockError, isInterlockError } from '../../domain/errors.ts'
import { priorityNumber } from '../../domain/priority.ts'
import { checkWorkflow, type WorkflowDefinition, type WorkflowView } from '../../domain/workflow.ts'
import type { Backend } from '../backend.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

interface ApplyOptions {
  readonly dryRun?: boolean
}

type Applied = { readonly workflow_id: string; readonly version: number; readonly change: Change }
type Change = 'new' | 'changed' | 'unchanged'

export function createApplyCommand(runtime: Runtime): Command {
  const command = new Command('apply')
    .description('define workflows as a file says: TOML or JSON, one workflow or a list [[workflows]]')
    .argument('<file>', '- for JSON on stdin')
    .addOption(new Option('--dry-run', 'check it, show what would change, and change nothing'))
  withExamples(command, ['interlock workflow apply knight.toml', 'interlock workflow apply flows.json --dry-run'])
  return runsWithBackend<ApplyOptions>(command, runtime, async (call, backend) => {
    const isDry = call.options.dryRun === true
    const file = call.argument(0)
    // All of them are checked before the first one is applied.
    const definitions = (await readDefinitions(file)).map((text) => check(text, file))
    const applied: Applied[] = []
    for (const definition of definitions) {
      applied.push(await (isDry ? preview(definition, backend) : apply(definition, backend)))
    }
    call.show(isDry ? { dry_run: true, workflows: applied } : applied, () =>
      applied
        .map(
          ({ workflow_id: id, version, change }) => `${isDry ? 'would be ' : ''}${change}: ${id} (version ${version})`,
        )
        .join('\n'),
    )
    return undefined
  })
}

function check(definition: unknown, file: string): WorkflowDefinition {
  try {
    return checkWorkflow(definition)
  } catch (error) {
    if (!isInterlockError(error)) throw error
    const { field, hint } = error
    throw new InterlockError(error.code, `${file}: ${error.message}`, { field, hint, cause: error })
  }
}

async function apply(definition: WorkflowDefinition, backend: Backend): Promise<Applied> {
  const { workflow_id: id, version, changed } = await backend.applyWorkflow(definition)
  return { workflow_id: id, version, change: !changed ? 'unchanged' : version === 1 ? 'new' : 'changed' }
}

/** What would become of it, by what is there now. */
async function preview(definition: WorkflowDefinition, backend: Backend): Promise<Applied> {
  const there = await backend.getWorkflow(definition.id).catch((error: unknown) => {
    if (isInterlockError(error, 'workflow_not_found')) return null
    throw error
  })
  if (there === null) return { workflow_id: definition.id, version: 1, change: 'new' }
  const isSame = isDeepStrictEqual(written(definition), written(there))
  return {
    workflow_id: definition.id,
    version: isSame ? there.version : there.version + 1,
    change: isSame ? 'unchanged' : 'changed',
  }
}

/** A definition in full, as it is kept. */
function written(definition: WorkflowDefinition | WorkflowView): Readonly<Record<string, unknown>> {
  return {
    title: definition.title ?? null,
    description: definition.description ?? null,
    hold: definition.hold ?? 'run',
    task: definition.task ?? definition.id,
    steps: definition.steps.map((step) => ({ task: step.name, ...step })),
    queue: definition.queue ?? null,
    priority: priorityNumber(definition.priority ?? 'normal'),
    permission_level: definition.permission_level ?? 'autonomous',
    timeout_seconds: definition.timeout_seconds ?? null,
    max_attempts: definition.max_attempts ?? null,
  }
}
