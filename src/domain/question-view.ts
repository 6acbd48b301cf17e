import { z } from 'zod'
import { questionTypes, requestStatuses, responseTypes } from './question.ts'

// What the doors answer about questions: JSON, snake_case, ISO 8601 times.

const time = z.iso.datetime()

const responseView = z
  .object({
    id: z.string(),
    response_type: z.enum(responseTypes),
    message: z.string(),
    instructions: z.array(z.string()).readonly(),
    generated_by: z.enum(['human', 'automated']),
    responder_id: z.string().nullable(),
    created_at: time,
  })
  .readonly()
  .meta({ id: 'QuestionResponse' })
export type ResponseView = z.output<typeof responseView>

/** A question with its answer, as it stands now. */
export const requestView = z
  .object({
    id: z.string(),
    status: z.enum(requestStatuses).describe('closed: the claim that asked is over.'),
    job_id: z.string(),
    task: z.string(),
    user: z.string().nullable(),
    agent_id: z.string().nullable(),
    request_type: z.enum(questionTypes),
    message: z.string(),
    context: z.record(z.string(), z.unknown()).readonly(),
    conversation_id: z.string(),
    parent_message_id: z.string().nullable(),
    created_at: time,
    expires_at: time,
    settled_at: time.nullable(),
    given_back: z
      .array(z.string())
      .readonly()
      .nullable()
      .describe('What the job has given back until it is answered; null: nothing.'),
    is_away: z
      .boolean()
      .describe('It does not hold again yet what it gave back, and its worker is told of no answer so long.'),
    response: responseView.nullable(),
  })
  .readonly()
  .meta({ id: 'Question' })
export type RequestView = z.output<typeof requestView>

/** What the one who asked is told. */
export const replyView = z
  .object({
    request_id: z.string(),
    status: z.enum(requestStatuses).describe('open as long as there is nothing to go on with.'),
    response: responseView.nullable(),
    fences: z
      .record(z.string(), z.int())
      .readonly()
      .describe('Of what was given back and is held again, by resource: hand them on in the place of the former ones.'),
  })
  .readonly()
  .meta({ id: 'Reply' })
export type ReplyView = z.output<typeof replyView>

export const requestPage = z
  .object({ requests: z.array(requestView).readonly(), next_cursor: z.string().nullable() })
  .readonly()
export type RequestPage = z.output<typeof requestPage>
