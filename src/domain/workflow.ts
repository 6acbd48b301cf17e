import { z } from 'zod'
import { checkContract } from './contract.ts'
import { jobStatuses, permissionLevels } from './job.ts'
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

const definitionFields = {
  id: workflowId,
  title: z.string().min(1).max(200).optional(),
  description: z.string().min(1).max(1024).optional(),
  hold: z
    .enum(['run', 'step'])
    .optional()
    .describe('run: one job holds the models of all steps. step: a job for each step, one after the other.'),
  task: task.optional().describe('What the job of a run does; the id unless set.'),
  steps: z.array(step).min(1).max(maxSteps),
  queue,
  priority,
  permission_level,
  timeout_seconds,
  max_attempts,
} as const

const definition = z.strictObject(definitionFields).superRefine(({ steps, hold }, context) => {
  for (const [index, { name }] of steps.entries()) {
    if (steps.findIndex((other) => other.name === name) === index) continue
    context.addIssue({ code: 'custom', path: ['steps', index, 'name'], message: 'is the name of an earlier step' })
  }
  const needs = steps.flatMap((one) => [...(one.resources ?? []), ...modelsOf(one).map((name) => `model:${name}`)])
  if (hold === 'step' || new Set(needs).size <= maxHeldResources) return
  const message = `need more than ${maxHeldResources} models and resources together: they are all held for the whole run`
  context.addIssue({ code: 'custom', path: ['steps'], message })
})

/** What is put under an id, which it may name again. */
export const workflowRequest = z
  .strictObject({ ...definitionFields, id: workflowId.optional().describe('As in the path.') })
  .meta({ id: 'WorkflowRequest' })

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
  models: z.record(stepName, model).optional().describe('By step, the model that it takes instead of its default one.'),
  id: workflowId.optional(),
  run_at: jobRequestFields.run_at,
  delay_seconds: jobRequestFields.delay_seconds,
  depends_on: jobRequestFields.depends_on,
} as const

const execution = z.strictObject(executionFields)
/** What a request to run a workflow is to those who write one. */
export const executionRequest = execution.meta({ id: 'WorkflowExecutionRequest' })

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

const time = z.iso.datetime()
const names = z.array(z.string()).readonly()

/** A workflow as every door shows it. */
export const workflowView = z
  .object({
    id: z.string(),
    version: z.int(),
    title: z.string().nullable(),
    description: z.string().nullable(),
    hold: z.enum(['run', 'step']),
    task: z.string(),
    required_models: names,
    steps: z.array(z.object({ ...step.shape, task }).readonly()).readonly(),
    queue: z.string().nullable(),
    priority: z.number(),
    permission_level: z.enum(permissionLevels),
    timeout_seconds: z.int().nullable(),
    max_attempts: z.int().nullable(),
    created_at: time,
    updated_at: time,
    updated_by: z.string().nullable(),
  })
  .readonly()
  .meta({ id: 'Workflow' })
export type WorkflowView = z.output<typeof workflowView>

/** What became of a definition that was applied. */
export interface AppliedWorkflow {
  readonly workflow_id: string
  readonly version: number
  readonly changed: boolean
}

/** What became of an execution that was to be cancelled: `cancelling` while a job of it runs. */
export const cancelledExecution = z
  .object({
    status: z.enum(['cancelled', 'cancelling']),
    cancelled: z.array(z.string()).readonly().describe('Jobs that waited, and have ended.'),
    asked: z.array(z.string()).readonly().describe('Jobs that run, and were asked to stop.'),
  })
  .readonly()
export type CancelledExecution = z.output<typeof cancelledExecution>

/** A run of a workflow, as its jobs tell it. */
export const executionView = z
  .object({
    id: z.string(),
    workflow_id: z.string(),
    status: z.enum(jobStatuses),
    current_step: z.int().nullable().describe('From 1; null before it starts.'),
    current_step_name: z.string().nullable(),
    current_step_model: z.string().nullable(),
    required_models: names,
    blocked_by_job_id: z.string().nullable(),
    conflict_reason: z.string().nullable(),
    current_job_id: z.string(),
    job_ids: names,
    user: z.string().nullable(),
    project: z.string().nullable(),
    hold: z.enum(['run', 'step']),
    version: z.int().describe('Of the workflow, when the run was made.'),
    steps: z
      .array(z.object({ name: z.string(), task: z.string(), model: z.string().optional() }).readonly())
      .readonly(),
    input: z.record(z.string(), z.unknown()).readonly(),
    created_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
  })
  .readonly()
  .meta({ id: 'WorkflowExecution' })
export type ExecutionView = z.output<typeof executionView>
