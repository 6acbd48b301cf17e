import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { asFencingToken, isJobId } from '../../domain/ids.ts'
import { createAttemptStore } from '../../store/attempts.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { jobNotFound } from './jobs.ts'

const heartbeat = z.strictObject({ token: z.int().min(0) })
const beaten = z.object({ id: z.string() })

/** A running job says that it is alive, by itself: it has INTERLOCK_URL, its id and its token. */
export function jobHeartbeatRoutes({ database }: Services): readonly Route[] {
  const store = createAttemptStore(database)
  return [
    {
      method: 'POST',
      path: '/jobs/:id/heartbeat',
      scope: 'work',
      name: 'heartbeat_job',
      summary:
        'Says, by its token, that a running job is alive though it has nothing to show; for jobs with heartbeat_seconds.',
      body: heartbeat,
      answers: { 200: beaten },
      answer: beat,
      isQuiet: true,
    },
  ]

  async function beat({ request }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { token } = checkContract(heartbeat, request.body ?? {})
    if (!isJobId(id)) throw jobNotFound(id)
    await store.heartbeatJob({ jobId: id, token: asFencingToken(token) })
    return { status: 200, body: { id } }
  }
}
