import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { InterlockError } from '../../domain/errors.ts'
import { asFencingToken, isJobId } from '../../domain/ids.ts'
import { checkQuestion, checkResponse, requestStatuses } from '../../domain/question.ts'
import type { ReplyView } from '../../domain/question-view.ts'
import { answerRequest, askRequest, listRequests, readReply, readRequest } from '../../store/questions.ts'
import { answerSeconds, withDeadline } from '../deadline.ts'
import { seconds, text, wholeNumber } from '../query.ts'
import { type Answer, type Call, idempotencyKey, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { jobNotFound } from './jobs.ts'

/** One call waits no longer, or what stands between would cut it; who waits longer asks again. */
const maxWaitSeconds = 240

const listQuery = z.strictObject({
  status: z.enum(requestStatuses).optional(),
  job: text.optional(),
  conversation: text.optional(),
  cursor: text.optional(),
  limit: wholeNumber({ min: 1, max: 1000 }).default(100),
})
/** What is this door's own in the body; the rest is the question. */
const envelope = z.looseObject({ token: z.int().min(0) })
const signedBy = z.looseObject({ actor: z.string().min(1).max(200).optional() })
const waitQuery = z.strictObject({ wait_seconds: seconds({ max: maxWaitSeconds }).default(0) })

/** What running jobs ask people, and what they are answered. */
export function questionRoutes({ database, requestFeed }: Services): readonly Route[] {
  return [
    { method: 'POST', path: '/jobs/:id/requests', scope: 'work', answer: ask },
    { method: 'GET', path: '/requests', scope: 'read', answer: list },
    { method: 'GET', path: '/requests/:id', scope: 'read', answer: show },
    { method: 'POST', path: '/requests/:id/response', scope: 'operate', answer: respond },
    { method: 'GET', path: '/requests/:id/response', scope: 'work', answer: wait, isLong: true },
  ]

  /** As the holder, who names its token. With an Idempotency-Key it may be repeated. */
  async function ask({ request }: Call): Promise<Answer> {
    const jobId = pathParameter(request, 'id')
    if (!isJobId(jobId)) throw jobNotFound(jobId)
    const { token, ...asked } = checkContract(envelope, request.body ?? {})
    const question = checkQuestion(asked)
    const id = await askRequest(database, { jobId, token: asFencingToken(token) }, question, idempotencyKey(request))
    return { status: 201, body: await readRequest(database, id), headers: { Location: `/requests/${id}` } }
  }

  async function list({ request }: Call): Promise<Answer> {
    const { limit, cursor, ...filter } = checkContract(listQuery, { ...request.query })
    return { status: 200, body: await listRequests(database, filter, { limit, cursor }) }
  }

  async function show({ request }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    return { status: 200, body: (await readRequest(database, id)) ?? refuseUnknown(id) }
  }

  async function respond({ request, actorOf }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { actor, ...given } = checkContract(signedBy, request.body ?? {})
    await answerRequest(database, id, checkResponse(given), { actor: actorOf(actor) })
    return { status: 201, body: await readRequest(database, id) }
  }

  /** Answers when there is an answer, or will be none, or at the timeout with `open`. */
  async function wait({ request, signal }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { wait_seconds: waitSeconds } = checkContract(waitQuery, { ...request.query })
    let reply = await read(id)
    if (reply.status === 'open' && waitSeconds > 0) {
      await withDeadline(requestFeed.settled(id, { timeoutSeconds: waitSeconds, signal }), waitSeconds + answerSeconds)
      reply = await read(id)
    }
    return { status: 200, body: reply }
  }

  async function read(id: string): Promise<ReplyView> {
    return (await withDeadline(readReply(database, id))) ?? refuseUnknown(id)
  }
}

function refuseUnknown(id: string): never {
  throw new InterlockError('job_not_found', `request ${id} does not exist`, { field: 'request_id' })
}
