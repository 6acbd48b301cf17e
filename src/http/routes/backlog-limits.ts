import { z } from 'zod'
import { backlogLimit, backlogScope, backlogSettings } from '../../domain/backlog-limit.ts'
import { checkContract } from '../../domain/contract.ts'
import { changeBacklogLimit, listBacklogLimits } from '../../store/backlog-limits.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { motiveFields } from './job-changes.ts'

const noQuery = z.strictObject({})
const { actor } = motiveFields
const settings = z.strictObject({ ...backlogSettings.shape, actor })
const path = z.strictObject({ scope: backlogScope })

/** How many unfinished jobs there may be of everything, of a queue or of a task. */
export function backlogLimitRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/backlog-limits',
      scope: 'read',
      name: 'list_backlog_limits',
      summary: 'The limits of unfinished jobs, how many there are, and whether the next one would be refused.',
      query: noQuery,
      answers: { 200: z.object({ limits: z.array(backlogLimit) }) },
      answer: list,
    },
    {
      method: 'PUT',
      path: '/backlog-limits/:scope',
      scope: 'operate',
      name: 'set_backlog_limit',
      summary:
        'Limits how many unfinished jobs there may be of everything (all), a queue (queue:NAME) or a task (task:NAME).',
      body: settings,
      answers: { 200: z.object({ scope: z.string(), limit: backlogLimit.nullable() }) },
      answer: change,
    },
  ]

  async function list({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    return { status: 200, body: { limits: await listBacklogLimits(database) } }
  }

  async function change({ request, actorOf }: Call): Promise<Answer> {
    const { scope } = checkContract(path, { scope: pathParameter(request, 'scope') })
    const { actor: given, ...wanted } = checkContract(settings, request.body ?? {})
    const limit = await changeBacklogLimit(database, scope, wanted, { actor: actorOf(given) })
    return { status: 200, body: { scope, limit } }
  }
}
