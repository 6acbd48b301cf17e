import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { cancelExecution, readExecution } from '../../store/workflows.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import { httpActor, type Services } from '../services.ts'
import { motiveFields } from './job-changes.ts'

const motive = z.strictObject(motiveFields)

/** The end of a whole run: what waits of it at once, what runs as soon as its process is gone. */
export function workflowCancelRoutes({ database }: Services): readonly Route[] {
  return [{ method: 'POST', path: '/workflow-executions/:id/cancel', answer: cancel }]

  async function cancel({ request }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { actor = httpActor, reason } = checkContract(motive, request.body ?? {})
    const answer = await cancelExecution(database, id, { actor, reason })
    return {
      status: answer.status === 'cancelling' ? 202 : 200,
      body: { id, ...answer, execution: await readExecution(database, id) },
    }
  }
}
