import { InterlockError } from '../domain/errors.ts'
import type {
  AppliedWorkflow,
  CancelledExecution,
  ExecutionRequest,
  ExecutionView,
  WorkflowDefinition,
  WorkflowView,
} from '../domain/workflow.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'

type WorkflowRow = Omit<WorkflowView, 'created_at' | 'updated_at'> & {
  readonly created_at: Date
  readonly updated_at: Date
}
type ExecutionRow = Omit<ExecutionView, 'created_at' | 'started_at' | 'finished_at'> & {
  readonly created_at: Date
  readonly started_at: Date | null
  readonly finished_at: Date | null
}

export interface ExecuteOptions extends Pick<Motive, 'actor'> {
  /** What the caller names its request by, so that it may be repeated. */
  readonly key?: string | null
}

export interface Executed {
  readonly id: string
  readonly isRepeated: boolean
}

const workflowQuery = `select w.id, w.version, w.title, w.description, w.hold, w.task,
    interlock.workflow_models(w.steps) as required_models, w.steps, w.queue, w.priority, w.permission_level,
    w.timeout_seconds, w.max_attempts, w.created_at, w.updated_at, w.updated_by
  from interlock.workflows as w`

/** Makes a workflow be as defined. Throws invalid_argument, unknown_task, queue_not_found, with the field at fault. */
export async function applyWorkflow(
  queryable: Queryable,
  definition: WorkflowDefinition,
  { actor }: Pick<Motive, 'actor'> = {},
): Promise<AppliedWorkflow> {
  const [row] = await queryable.query<AppliedWorkflow>(
    'select workflow_id, version, changed from interlock.apply_workflow($1::jsonb, $2)',
    [JSON.stringify(definition), actor ?? null],
  )
  if (row === undefined) throw new TypeError('apply_workflow answered without a row')
  return row
}

/** All workflows, by id. Each is a few kilobytes, and there are as many as somebody has written down. */
export async function listWorkflows(queryable: Queryable): Promise<readonly WorkflowView[]> {
  return (await queryable.query<WorkflowRow>(`${workflowQuery} order by w.id limit 1000`)).map(toView)
}

/** Throws workflow_not_found. */
export async function readWorkflow(queryable: Queryable, id: string): Promise<WorkflowView> {
  const [row] = await queryable.query<WorkflowRow>(`${workflowQuery} where w.id = $1`, [id])
  if (row === undefined) throw new InterlockError('workflow_not_found', `workflow ${id} does not exist`)
  return toView(row)
}

/** Runs a workflow. Throws workflow_not_found, invalid_argument, idempotency_conflict, and what enqueueing throws. */
export async function executeWorkflow(
  queryable: Queryable,
  workflowId: string,
  request: ExecutionRequest,
  { actor, key }: ExecuteOptions = {},
): Promise<Executed> {
  const [row] = await queryable.query<{ readonly execution_id: string; readonly repeated: boolean }>(
    'select execution_id, repeated from interlock.execute_workflow($1, $2::jsonb, $3, $4)',
    [workflowId, JSON.stringify(request), actor ?? null, key ?? null],
  )
  if (row === undefined) throw new TypeError('execute_workflow answered without a row')
  return { id: row.execution_id, isRepeated: row.repeated }
}

/** Throws job_not_found: an execution goes by the name of its job. */
export async function readExecution(queryable: Queryable, id: string): Promise<ExecutionView> {
  const [row] = await queryable.query<ExecutionRow>(
    `select p.id, p.workflow_id, p.status, p.current_step, p.current_step_name, p.current_step_model, p.required_models,
       p.blocked_by_job_id, p.conflict_reason, p.current_job_id, p.job_ids, p.user_name as "user", p.project, p.hold,
       p.version, p.steps, p.input, p.created_at, p.started_at, p.finished_at
     from interlock.workflow_progress as p
     where p.id = $1`,
    [id],
  )
  if (row === undefined) throw new InterlockError('job_not_found', `there is no execution ${id} of a workflow`)
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
  }
}

/** Cancels all of it that has not ended. Throws job_not_found, illegal_transition. */
export async function cancelExecution(
  queryable: Queryable,
  id: string,
  { actor, reason }: Motive = {},
): Promise<CancelledExecution> {
  const [row] = await queryable.query<CancelledExecution>(
    'select status, cancelled, asked from interlock.cancel_execution($1, $2, $3)',
    [id, reason ?? null, actor ?? null],
  )
  if (row === undefined) throw new TypeError('cancel_execution answered without a row')
  return row
}

function toView(row: WorkflowRow): WorkflowView {
  return { ...row, created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() }
}
