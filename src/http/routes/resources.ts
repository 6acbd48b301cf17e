import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { resourceView } from '../../domain/queue-view.ts'
import { changeLimit, listResources, removeLimit } from '../../store/resources.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { motiveFields } from './job-changes.ts'

const { actor } = motiveFields
const limit = z.strictObject({
  capacity: z.int().min(0).max(100_000).nullable().optional(),
  starts_per_minute: z.int().min(1).max(100_000).nullable().optional(),
  is_paused: z.boolean().optional(),
  actor,
})
const onlyActor = z.strictObject({ actor })
const limits = z.object({ resources: z.array(resourceView) })
const changedLimit = z.object({
  pattern: z.string(),
  resource: resourceView.nullable().describe('Null: it has no limit of its own any more.'),
})
const removedLimit = z.object({ pattern: z.string(), removed: z.boolean().describe('Whether there was one.') })

/** How many may use what: limits by resource and by pattern, changed at run time. */
export function resourceRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/resources',
      scope: 'read',
      name: 'list_limits',
      summary:
        'Every limit of how many may use a resource at once, and how much of it is used; without one it is for one.',
      answers: { 200: limits },
      answer: list,
    },
    {
      method: 'PATCH',
      path: '/resources/:key',
      scope: 'operate',
      name: 'change_limit',
      summary:
        'Sets how many may use a resource (model:flux) or all that begin alike (model:*), or pauses it; what is left out stays as it is, and who holds it goes on.',
      body: limit,
      isBodyOptional: true,
      answers: { 200: changedLimit },
      answer: change,
    },
    {
      method: 'DELETE',
      path: '/resources/:key',
      scope: 'operate',
      name: 'remove_limit',
      summary: 'Takes a limit away: the next wider one holds then, or else one job at a time.',
      body: onlyActor,
      isBodyOptional: true,
      answers: { 200: removedLimit },
      answer: remove,
    },
  ]

  async function list(): Promise<Answer> {
    return { status: 200, body: { resources: await listResources(database) } }
  }

  async function change({ request, actorOf }: Call): Promise<Answer> {
    const { actor: given, ...wanted } = checkContract(limit, request.body ?? {})
    const pattern = pathParameter(request, 'key')
    const resource = await changeLimit(database, pattern, wanted, { actor: actorOf(given) })
    return { status: 200, body: { pattern, resource } }
  }

  async function remove({ request, actorOf }: Call): Promise<Answer> {
    const { actor: given } = checkContract(onlyActor, request.body ?? {})
    const pattern = pathParameter(request, 'key')
    return { status: 200, body: { pattern, removed: await removeLimit(database, pattern, { actor: actorOf(given) }) } }
  }
}
