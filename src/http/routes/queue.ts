import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

const noQuery = z.strictObject({})

/** The queue at a glance: for people and programs, and for machines that only ask whether it is well. */
export function queueRoutes({ queue }: Services): readonly Route[] {
  return [
    { method: 'GET', path: '/queue/status', scope: 'read', answer: status },
    { method: 'GET', path: '/queue/health', scope: 'read', answer: health, isQuiet: true },
  ]

  async function status({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    const { statusJson, statusEtag } = await queue()
    return { status: 200, headers: { ETag: statusEtag, 'Cache-Control': 'no-cache' }, body: statusJson }
  }

  async function health({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    const { health: found } = await queue()
    return { status: found.status === 'unhealthy' ? 503 : 200, body: found }
  }
}
