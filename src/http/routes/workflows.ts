import { z } from 'zod'
import { ContractError, checkContract } from '../../domain/contract.ts'
import {
  checkExecution,
  checkWorkflow,
  executionRequest,
  executionView,
  workflowRequest,
  workflowView,
} from '../../domain/workflow.ts'
import { applyWorkflow, executeWorkflow, listWorkflows, readExecution, readWorkflow } from '../../store/workflows.ts'
import { type Answer, type Call, idempotencyKey, pathParameter, type Route, replayed } from '../route.ts'
import type { Services } from '../services.ts'

const noQuery = z.strictObject({})
const workflowList = z.object({ workflows: z.array(workflowView) })
const appliedWorkflow = z.object({ ...workflowView.unwrap().shape, changed: z.boolean() })

/** Workflows: what they are, and how their runs go on. */
export function workflowRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/workflows',
      scope: 'read',
      name: 'list_workflows',
      summary: 'All workflows, by id, at most a thousand.',
      query: noQuery,
      answers: { 200: workflowList },
      answer: list,
    },
    {
      method: 'GET',
      path: '/workflows/:id',
      scope: 'read',
      name: 'get_workflow',
      summary: 'One workflow: its steps, the models that they need, and its version.',
      answers: { 200: workflowView },
      answer: show,
    },
    {
      method: 'PUT',
      path: '/workflows/:id',
      scope: 'operate',
      name: 'apply_workflow',
      summary:
        'Makes a workflow be as defined, new or changed; runs that are under way keep the steps that they began with.',
      body: workflowRequest,
      answers: { 200: appliedWorkflow, 201: appliedWorkflow },
      answer: apply,
    },
    {
      method: 'POST',
      path: '/workflows/:id/execute',
      scope: 'enqueue',
      name: 'execute_workflow',
      summary: 'Runs a workflow: enqueues its jobs, and answers with the execution, which goes on after that.',
      body: executionRequest,
      isBodyOptional: true,
      takesIdempotencyKey: true,
      answers: { 201: executionView },
      answer: execute,
    },
    {
      method: 'GET',
      path: '/workflow-executions/:id',
      scope: 'read',
      name: 'get_workflow_execution',
      summary: 'One run of a workflow: its status, the step and model that it is at, and what it waits for.',
      query: noQuery,
      answers: { 200: executionView },
      answer: showExecution,
    },
  ]

  async function list({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    return { status: 200, body: { workflows: await listWorkflows(database) } }
  }

  async function show({ request }: Call): Promise<Answer> {
    return { status: 200, body: await readWorkflow(database, pathParameter(request, 'id')) }
  }

  /** The id is the path's; a body that names another one is a mistake that would change the wrong workflow. */
  async function apply({ request, actorOf }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const body: unknown = request.body
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
    const definition = checkWorkflow(isObject ? { id, ...body } : body)
    if (definition.id !== id) throw new ContractError([{ field: 'id', message: `must be ${id}, as in the path` }])
    const { version, changed } = await applyWorkflow(database, definition, { actor: actorOf() })
    return {
      status: changed && version === 1 ? 201 : 200,
      body: { ...(await readWorkflow(database, id)), changed },
    }
  }

  async function execute({ request, actorOf }: Call): Promise<Answer> {
    const workflowId = pathParameter(request, 'id')
    const wanted = checkExecution(request.body ?? {})
    const options = { actor: actorOf(), key: idempotencyKey(request) }
    const { id, isRepeated } = await executeWorkflow(database, workflowId, wanted, options)
    return {
      status: 201,
      headers: {
        Location: `/workflow-executions/${encodeURIComponent(id)}`,
        ...replayed(isRepeated),
      },
      body: await readExecution(database, id),
    }
  }

  async function showExecution({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    return { status: 200, body: await readExecution(database, pathParameter(request, 'id')) }
  }
}
