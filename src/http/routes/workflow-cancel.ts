import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { cancelledExecution, executionView } from '../../domain/workflow.ts'
import { cancelExecution, readExecution } from '../../store/workflows.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { motiveFields } from './job-changes.ts'

const motive = z.strictObject(motiveFields)
const cancelled = z.object({
  id: z.string(),
  ...cancelledExecution.unwrap().shape,
  execution: executionView,
})

/** The end of a whole run: what waits of it at once, what runs as soon as its process is gone. */
export function workflowCancelRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/workflow-executions/:id/cancel',
      scope: 'operate',
      name: 'cancel_workflow_execution',
      summary:
        'Ends a whole run of a workflow: what waits of it at once, what runs (202) as soon as its process is gone.',
      effect: 'destroy',
      body: motive,
      isBodyOptional: true,
      answers: { 200: cancelled, 202: cancelled },
      answer: cancel,
    },
  ]

  async function cancel({ request, actorOf }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { actor, reason } = checkContract(motive, request.body ?? {})
    const answer = await cancelExecution(database, id, { actor: actorOf(actor), reason })
    return {
      status: answer.status === 'cancelling' ? 202 : 200,
      body: { id, ...answer, execution: await readExecution(database, id) },
    }
  }
}
