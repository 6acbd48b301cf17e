import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { InterlockError } from '../../domain/errors.ts'
import { asFencingToken, isJobId } from '../../domain/ids.ts'
import { checkQuestion, checkResponse, questionFields, requestStatuses, responseFields } from '../../domain/question.ts'
import { type ReplyView, replyView, requestPage, requestView } from '../../domain/question-view.ts'
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
/** Both as their callers write them; the question and the answer are checked by themselves. */
const askBody = z.strictObject({ ...envelope.shape, ...questionFields })
const answerBody = z.strictObject({ ...signedBy.shape, ...responseFields })
const waitQuery = z.strictObject({ wait_seconds: seconds({ max: maxWaitSeconds }).default(0) })

/** What running jobs ask people, and what they are answered. */
export function questionRoutes({ database, requestFeed }: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/jobs/:id/requests',
      scope: 'work',
      name: 'ask_question',
      summary:
        'Asks a person something as the holder of a running job, by its token; release_models gives its models back until the answer.',
      body: askBody,
      takesIdempotencyKey: true,
      answers: { 201: requestView },
      answer: ask,
    },
    {
      method: 'GET',
      path: '/requests',
      scope: 'read',
      name: 'list_questions',
      summary:
        'What jobs have asked people, with the answers, the oldest first, a page at a time; status=open are those that wait.',
      query: listQuery,
      answers: { 200: requestPage },
      answer: list,
    },
    {
      method: 'GET',
      path: '/requests/:id',
      scope: 'read',
      name: 'get_question',
      summary: 'One question of a job, with its answer where it has one.',
      answers: { 200: requestView },
      answer: show,
    },
    {
      method: 'POST',
      path: '/requests/:id/response',
      scope: 'operate',
      name: 'answer_question',
      summary: 'Answers the open question of a job, once; an approval is answered with approval or rejection.',
      body: answerBody,
      answers: { 201: requestView },
      answer: respond,
    },
    {
      method: 'GET',
      path: '/requests/:id/response',
      scope: 'work',
      name: 'wait_for_answer',
      summary:
        'Waits up to wait_seconds until the one who asked can go on; open says that there is nothing yet: ask again.',
      query: waitQuery,
      answers: { 200: replyView },
      answer: wait,
      isLong: true,
    },
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
