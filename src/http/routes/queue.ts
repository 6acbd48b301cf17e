import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { queueHealthView } from '../../domain/queue-health.ts'
import { queueStatusView } from '../../domain/queue-status.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

const noQuery = z.strictObject({})

/** The queue at a glance: for people and programs, and for machines that only ask whether it is well. */
export function queueRoutes({ queue }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/queue/status',
      scope: 'read',
      name: 'get_queue_status',
      summary:
        'All queues at a glance: what runs, what waits for what, who holds which user, how many agents there are.',
      answers: { 200: queueStatusView },
      answer: status,
    },
    {
      method: 'GET',
      path: '/queue/health',
      scope: 'read',
      name: 'get_queue_health',
      summary: 'Whether jobs get done, and if not, why; it answers 503 when jobs wait and cannot run.',
      answers: { 200: queueHealthView, 503: queueHealthView },
      answer: health,
      isQuiet: true,
    },
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
