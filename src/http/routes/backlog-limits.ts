import { z } from 'zod'
import { backlogScope, backlogSettings } from '../../domain/backlog-limit.ts'
import { checkContract } from '../../domain/contract.ts'
import { changeBacklogLimit, listBacklogLimits } from '../../store/backlog-limits.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import { httpActor, type Services } from '../services.ts'
import { motiveFields } from './job-changes.ts'

const noQuery = z.strictObject({})
const { actor } = motiveFields
const settings = z.strictObject({ ...backlogSettings.shape, actor })
const path = z.strictObject({ scope: backlogScope })

/** How many unfinished jobs there may be of everything, of a queue or of a task. */
export function backlogLimitRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'GET', path: '/backlog-limits', answer: list },
    { method: 'PUT', path: '/backlog-limits/:scope', answer: change },
  ]

  async function list({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    return { status: 200, body: { limits: await listBacklogLimits(database) } }
  }

  async function change({ request }: Call): Promise<Answer> {
    const { scope } = checkContract(path, { scope: pathParameter(request, 'scope') })
    const { actor: given = httpActor, ...wanted } = checkContract(settings, request.body ?? {})
    const limit = await changeBacklogLimit(database, scope, wanted, { actor: given })
    return { status: 200, body: { scope, limit } }
  }
}
