import { z } from 'zod'
import { ContractError, checkContract, maxViolations, oneOf } from './contract.ts'
import { permissionLevels } from './job.ts'
import { priorityNames } from './priority.ts'
import { isResource, maxResourcesPerJob, resourcesOf } from './resource.ts'
import { retryDelaysField } from './retry-delays.ts'
import { taskTypes, workOrderSchema } from './work-order.ts'

/** Limits that a caller is told by name. The tables have the same ones as CHECKs, for those who come by SQL. */
export const maxPayloadBytes = 256 * 1024
export const maxJobsPerBatch = 1000
export const maxParentsPerJob = 1000
const maxDelaySeconds = 10 * 365 * 86_400
const monthSeconds = 30 * 86_400

const resourceValue = z
  .string()
  .refine(
    (value) => isResource(`user:${value}`) && [...value].length <= 200,
    'must have 1 to 200 characters, without asterisk and control characters',
  )

const resource = z
  .string()
  .refine(isResource, 'must be kind:value, the kind in lower case, without asterisk and control characters')

const priority = z.union([z.enum(priorityNames), z.number().min(0).max(3)], {
  error: `must be ${oneOf([...priorityNames, 'a number from 0 (critical) to 3 (low)'])}`,
})

const payload = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes <= maxPayloadBytes) return
  context.addIssue({ code: 'custom', message: `is ${bytes} bytes of JSON; the limit is ${maxPayloadBytes} (256 KiB)` })
})

const jobId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'must be 1 to 128 letters, digits, dots, colons, dashes or underscores')

/** The fields of a job request, as every door takes them. What is left out is decided by the queue's policy. */
export const jobRequestFields = {
  task: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/,
      'must be 1 to 128 letters, digits, dots, dashes, underscores or slashes',
    ),
  user: resourceValue.optional(),
  project: z.string().min(1).max(200).optional(),
  id: jobId.optional(),
  model: resourceValue.optional(),
  models: z.array(resourceValue).max(maxResourcesPerJob).optional(),
  resources: z.array(resource).max(maxResourcesPerJob).optional(),
  queue: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be a name in lower case')
    .optional(),
  priority: priority.optional(),
  payload: payload.optional(),
  /** The payload is stored encrypted, and read by whoever runs the job alone. */
  encrypt: z.boolean().optional(),
  kind: z.string().min(1).max(64).optional(),
  run_at: z.iso
    .datetime({ offset: true, error: 'must be an ISO 8601 time with its offset, as 2027-01-31T12:00:00Z' })
    .optional(),
  delay_seconds: z.number().min(0).max(maxDelaySeconds).optional(),
  timeout_seconds: z.int().min(1).max(monthSeconds).optional(),
  max_attempts: z.int().min(1).max(100).optional(),
  retry_delays_seconds: retryDelaysField.optional(),
  ttl_seconds: z.int().min(0).max(maxDelaySeconds).optional(),
  permission_level: z.enum(permissionLevels).optional(),
  start: z.boolean().optional(),
  /** Who approved it already, of a human_required job: it does not wait for an approval. */
  approved_by: z.string().min(1).max(200).optional(),
  depends_on: z.array(jobId).max(maxParentsPerJob).optional(),
  depends_on_outcome: z.enum(['success', 'any']).optional(),
  unique_key: z
    .string()
    .min(1)
    .max(200)
    .regex(/^\P{Cc}*$/u, 'must be without control characters')
    .optional(),
  on_duplicate: z.enum(['skip', 'replace', 'refuse']).optional(),
  heartbeat_seconds: z.int().min(0).max(86_400).optional(),
  work_order: workOrderSchema(priority, monthSeconds).optional(),
} as const

const written = z.strictObject(jobRequestFields).superRefine((request, context) => {
  if (request.run_at !== undefined && request.delay_seconds !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['delay_seconds'],
      message: 'cannot stand beside run_at: name one of them',
    })
  }
  if (request.approved_by !== undefined && request.permission_level !== 'human_required') {
    context.addIssue({
      code: 'custom',
      path: ['approved_by'],
      message: 'is for a human_required job: no other needs an approval',
    })
  }
  if (request.depends_on_outcome !== undefined && request.depends_on === undefined) {
    context.addIssue({ code: 'custom', path: ['depends_on_outcome'], message: 'goes with depends_on' })
  }
  if (request.on_duplicate !== undefined && request.unique_key === undefined) {
    context.addIssue({ code: 'custom', path: ['on_duplicate'], message: 'goes with a unique_key' })
  }
  for (const field of contradictions(request)) {
    context.addIssue({ code: 'custom', path: [field], message: 'is not what the work order says' })
  }
  if (request.work_order !== undefined && Object.hasOwn(request.payload ?? {}, 'work_order')) {
    context.addIssue({ code: 'custom', path: ['payload'], message: 'has a work_order of its own' })
  }
  const models = request.model === undefined ? request.models : [request.model, ...(request.models ?? [])]
  if (resourcesOf({ ...request, models }).length > maxResourcesPerJob) {
    context.addIssue({
      code: 'custom',
      path: ['resources'],
      message: `are more than ${maxResourcesPerJob} together with the user and the models`,
    })
  }
})

/** What a request is to those who write one. */
export const jobRequest = written.meta({ id: 'JobRequest' })

type Written = z.output<typeof written>

/** What is said in two places has to be the same: nobody is to make a human_required order autonomous by accident. */
function contradictions(
  request: {
    readonly [Field in 'permission_level' | 'priority' | 'timeout_seconds' | 'max_attempts']?: unknown
  } & { readonly work_order?: z.output<(typeof jobRequestFields)['work_order']> },
): readonly string[] {
  const { work_order: order } = request
  if (order === undefined) return []
  const ordered = {
    permission_level: order.permission_level,
    priority: order.priority,
    timeout_seconds: order.timeout_seconds,
    max_attempts: order.max_retries == null ? null : order.max_retries + 1,
  }
  return Object.entries(ordered).flatMap(([field, value]) => {
    const own = request[field as keyof typeof ordered]
    return own === undefined || value == null || own === value ? [] : [field]
  })
}

/** A request as `enqueue_jobs` takes it: one spelling for each thing. */
export type JobRequest = Omit<Written, 'model'>

/** Checks a request for one job. Throws a ContractError that names every field that is wrong. */
export function checkJobRequest(body: unknown): JobRequest {
  return readRequest(body, '')
}

/** Checks a batch, `{ jobs: [...] }`: all or none. Fields are named with their place: `jobs[3].priority`. */
export function checkJobBatch(body: unknown): readonly JobRequest[] {
  const { jobs } = checkContract(batch, body)
  const requests: JobRequest[] = []
  const violations = jobs.flatMap((job, index) => {
    try {
      requests.push(readRequest(job, `jobs[${index}]`))
      return []
    } catch (error) {
      if (error instanceof ContractError) return error.violations
      throw error
    }
  })
  if (violations.length > 0) throw new ContractError(violations.slice(0, maxViolations))
  return requests
}

const batch = z.strictObject({ jobs: z.array(z.unknown()).min(1).max(maxJobsPerBatch) })
/** What a batch is to those who write one; each job is checked by itself, so that its place is known. */
export const jobBatch = z.strictObject({ jobs: z.array(written).min(1).max(maxJobsPerBatch) })

function readRequest(body: unknown, at: string): JobRequest {
  const isOld = isCoordinatorBody(body)
  try {
    const asked = isOld ? fromCoordinatorBody(body) : withTaskOfOrder(body)
    const { model, models, ...request } = checkContract(written, asked)
    if (model === undefined) return models === undefined ? request : { ...request, models }
    return { ...request, models: [...new Set([model, ...(models ?? [])])] }
  } catch (error) {
    if (!(error instanceof ContractError)) throw error
    throw new ContractError(
      error.violations.map((violation) => {
        const field = isOld && (violation.field === 'task' || violation.field === 'kind') ? 'job_type' : violation.field
        return { ...violation, field: [at, field].filter((part) => part !== '').join('.') }
      }),
    )
  }
}

type Fields = Readonly<Record<string, unknown>>

/** A request without a task has that of its work order; an order without a known one is refused for that, not for the task. */
function withTaskOfOrder(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Object.hasOwn(body, 'task')) return body
  const { work_order: order } = body as Fields
  if (typeof order !== 'object' || order === null) return body
  const { task_type: taskType } = order as Fields
  return { ...body, task: taskTypes.find((known) => known === taskType) ?? taskTypes[0] }
}

/**
 * The body that clients of the model coordinator send: `{ prompt, model, job_type }`, without a task. There, whatever
 * is no field of ours is the job's input.
 */
function isCoordinatorBody(body: unknown): body is Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  return !Object.hasOwn(body, 'task') && Object.hasOwn(body, 'job_type')
}

function fromCoordinatorBody({ job_type: jobType, ...body }: Fields): Fields {
  const entries = Object.entries(body)
  const known = entries.filter(([name]) => Object.hasOwn(jobRequestFields, name))
  const input = entries.filter(([name]) => !Object.hasOwn(jobRequestFields, name))
  const request = { task: jobType, kind: jobType, ...Object.fromEntries(known) }
  if (input.length === 0) return request
  const given = body.payload
  // A payload that is no object stays, to be refused by name.
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) return request
  return { ...request, payload: { ...(given as Fields | undefined), ...Object.fromEntries(input) } }
}
