import { z } from 'zod'
import { checkContract } from './contract.ts'
import { jobRequestFields } from './job-request.ts'

export const maxSteps = 100
/** With hold run, of all steps together: one job needs them all, and a user besides. */
export const maxHeldResources = 31

const workflowId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be 1 to 100 letters, digits, dots, dashes or underscores')
const stepName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/, 'must be 1 to 100 letters, digits, dots, dashes, underscores or slashes')
const model = jobRequestFields.model.unwrap()
const { task, queue, priority, permission_level, timeout_seconds, max_attempts, resources, payload } = jobRequestFields

const step = z.strictObject({
  name: stepName,
  task: task.optional(),
  default_model: model.optional(),
  resources,
  payload,
  timeout_seconds,
  max_attempts,
})

const definition = z
  .strictObject({
    id: workflowId,
    title: z.string().min(1).max(200).optional(),
    description: z.string().min(1).max(1024).optional(),
    hold: z.enum(['run', 'step']).optional(),
    task: task.optional(),
    steps: z.array(step).min(1).max(maxSteps),
    queue,
    priority,
    permission_level,
    timeout_seconds,
    max_attempts,
  })
  .superRefine(({ steps, hold }, context) => {
    for (const [index, { name }] of steps.entries()) {
      if (steps.findIndex((other) => other.name === name) === index) continue
      context.addIssue({ code: 'custom', path: ['steps', index, 'name'], message: 'is the name of an earlier step' })
    }
    const needs = steps.flatMap((one) => [...(one.resources ?? []), ...modelsOf(one).map((name) => `model:${name}`)])
    if (hold === 'step' || new Set(needs).size <= maxHeldResources) return
    const message = `need more than ${maxHeldResources} models and resources together: they are all held for the whole run`
    context.addIssue({ code: 'custom', path: ['steps'], message })
  })

const modelsOf = ({ default_model: name }: z.output<typeof step>): readonly string[] =>
  name === undefined ? [] : [name]

/** A workflow as it is applied. What is left out is the queue's, or has a default of its own. */
export type WorkflowDefinition = z.output<typeof definition>

/** Checks a definition. Throws a ContractError that names every field that is wrong: `steps[2].default_model`. */
export function checkWorkflow(body: unknown): WorkflowDefinition {
  return checkContract(definition, body)
}

/** The fields of a request to run a workflow; all of them may be left out. */
const executionFields = {
  input: payload,
  user: jobRequestFields.user,
  project: jobRequestFields.project,
  priority,
  queue,
  /** By step, the model that it takes instead of its default one. */
  models: z.record(stepName, model).optional(),
  id: workflowId.optional(),
  run_at: jobRequestFields.run_at,
  delay_seconds: jobRequestFields.delay_seconds,
  depends_on: jobRequestFields.depends_on,
} as const

const execution = z.strictObject(executionFields)

export type ExecutionRequest = z.output<typeof execution>

/**
 * Checks a request to run a workflow. Clients of the model coordinator send the input alone, `{ input_image: "..." }`:
 * where there is no field `input`, whatever is no field of ours is the input.
 */
export function checkExecution(body: unknown): ExecutionRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || Object.hasOwn(body, 'input'))
    return checkContract(execution, body)
  const entries = Object.entries(body)
  const input = entries.filter(([name]) => !Object.hasOwn(executionFields, name))
  if (input.length === 0) return checkContract(execution, body)
  const known = entries.filter(([name]) => Object.hasOwn(executionFields, name))
  return checkContract(execution, { ...Object.fromEntries(known), input: Object.fromEntries(input) })
}

/** A workflow as every door shows it. */
export interface WorkflowView {
  readonly id: string
  readonly version: number
  readonly title: string | null
  readonly description: string | null
  readonly hold: 'run' | 'step'
  readonly task: string
  readonly required_models: readonly string[]
  readonly steps: readonly Readonly<Record<string, unknown>>[]
  readonly queue: string | null
  readonly priority: number
  readonly permission_level: string
  readonly timeout_seconds: number | null
  readonly max_attempts: number | null
  readonly created_at: string
  readonly updated_at: string
  readonly updated_by: string | null
}

/** What became of a definition that was applied. */
export interface AppliedWorkflow {
  readonly workflow_id: string
  readonly version: number
  readonly changed: boolean
}

/** What became of an execution that was to be cancelled: `cancelling` while a job of it runs. */
export interface CancelledExecution {
  readonly status: 'cancelled' | 'cancelling'
  /** Jobs that waited, and have ended. */
  readonly cancelled: readonly string[]
  /** Jobs that run, and were asked to stop. */
  readonly asked: readonly string[]
}

/** A run of a workflow, as its jobs tell it. */
export interface ExecutionView {
  readonly id: string
  readonly workflow_id: string
  readonly status: string
  /** From 1; null before it starts. */
  readonly current_step: number | null
  readonly current_step_name: string | null
  readonly current_step_model: string | null
  readonly required_models: readonly string[]
  readonly blocked_by_job_id: string | null
  readonly conflict_reason: string | null
  readonly current_job_id: string
  readonly job_ids: readonly string[]
  readonly user: string | null
  readonly project: string | null
  readonly hold: 'run' | 'step'
  readonly version: number
  readonly steps: readonly Readonly<Record<string, unknown>>[]
  readonly input: Readonly<Record<string, unknown>>
  readonly created_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
}
