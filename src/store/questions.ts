import type { Question, RequestStatus, Response } from '../domain/question.ts'
import type { ReplyView, RequestPage, RequestView, ResponseView } from '../domain/question-view.ts'
import type { HeldJob } from './attempts.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'

/** What a list of questions is narrowed to; a field that is left out does not restrict. */
export interface RequestFilter {
  readonly status?: RequestStatus | undefined
  readonly job?: string | undefined
  readonly conversation?: string | undefined
}

export interface AnsweredRequest {
  readonly response_id: string
  /** The job takes again first what it gave back. */
  readonly resumes: boolean
}

/** Asks as the job's holder; with the same key, once. Returns the request's id. Throws what ask() raises. */
export async function askRequest(
  queryable: Queryable,
  { jobId, token }: HeldJob,
  question: Question,
  key: string | null,
): Promise<string> {
  const [row] = await retryTransient(() =>
    queryable.query<{ readonly request_id: string }>('select request_id from interlock.ask($1, $2, $3, $4)', [
      jobId,
      token,
      JSON.stringify(question),
      key,
    ]),
  )
  if (row === undefined) throw new TypeError('ask answered without a row')
  return row.request_id
}

/** Throws job_not_found, illegal_transition (answered already, expired, closed), invalid_argument. */
export async function answerRequest(
  queryable: Queryable,
  requestId: string,
  response: Response,
  { actor }: Pick<Motive, 'actor'> = {},
): Promise<AnsweredRequest> {
  const [row] = await queryable.query<AnsweredRequest>(
    'select response_id, resumes from interlock.answer_request($1, $2, $3)',
    [requestId, JSON.stringify(response), actor ?? null],
  )
  if (row === undefined) throw new TypeError('answer_request answered without a row')
  return row
}

/** Null: there is no such request. */
export async function readRequest(queryable: Queryable, requestId: string): Promise<RequestView | null> {
  const [row] = await queryable.query<RequestRow>('select * from interlock.requests as r where r.id = $1', [requestId])
  return row === undefined ? null : toView(row)
}

/** The oldest first; the cursor is the id of the last one. */
export async function listRequests(
  queryable: Queryable,
  { status, job, conversation }: RequestFilter,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<RequestPage> {
  const rows = await queryable.query<RequestRow>(
    `select r.*
     from interlock.requests as r
     where ($1::text is null or (r.status = $1 and (r.state = $1 or r.state = 'open')))
       and ($2::text is null or r.job_id = $2)
       and ($3::text is null or r.conversation_id = $3)
       and ($4::text is null or r.id > $4)
     order by r.id
     limit $5`,
    [status ?? null, job ?? null, conversation ?? null, cursor ?? null, limit + 1],
  )
  const requests = rows.slice(0, limit).map(toView)
  return { requests, next_cursor: rows.length > limit ? (requests.at(-1)?.id ?? null) : null }
}

/** Null: there is no such request. */
export async function readReply(queryable: Queryable, requestId: string): Promise<ReplyView | null> {
  const [row] = await queryable.query<RequestRow>('select * from interlock.requests as r where r.id = $1', [requestId])
  return row === undefined ? null : toReply(row)
}

/** Where each of these stands, for whoever waits for an answer. */
export interface RequestProgress {
  readonly id: string
  /** There is something to go on with. */
  readonly is_settled: boolean
  /** What it gave back was granted, and has only to be handed over. */
  readonly is_granted: boolean
}

export function readProgress(queryable: Queryable, requestIds: readonly string[]): Promise<RequestProgress[]> {
  return queryable.query<RequestProgress>(
    `select u.id, coalesce(r.status <> 'open' and not r.is_away, true) as is_settled,
       coalesce(r.is_away and r.state <> 'open' and c.held is not null, false) as is_granted
     from unnest($1::text[]) as u (id)
     left join interlock.requests as r on r.id = u.id
     left join interlock.jobs as c on c.id = r.companion_id`,
    [requestIds],
    'read_request_progress',
  )
}

/** Hands over what was granted again. */
export async function resumeRequest(queryable: Queryable, requestId: string): Promise<void> {
  await retryTransient(() => queryable.query('select interlock.resume_request($1)', [requestId], 'resume_request'))
}

/** The tick of questions: ends those that nobody answered or waits for, and lets jobs have again what they gave back. */
export async function tickRequests(queryable: Queryable): Promise<void> {
  await queryable.query('select interlock.expire_requests()', [], 'expire_requests')
  const [row] = await queryable.query<{ readonly ids: readonly string[] }>(
    'select interlock.away_requests() as ids',
    [],
    'away_requests',
  )
  for (const id of row?.ids ?? []) await resumeRequest(queryable, id)
}

interface RequestRow extends Omit<RequestView, 'user' | 'created_at' | 'expires_at' | 'settled_at' | 'response'> {
  readonly user_name: string | null
  readonly created_at: Date
  readonly expires_at: Date
  readonly settled_at: Date | null
  readonly fences: ReplyView['fences'] | null
  readonly response_id: string | null
  readonly response_type: ResponseView['response_type']
  readonly response: string
  readonly instructions: readonly string[]
  readonly generated_by: ResponseView['generated_by']
  readonly responder_id: string | null
  readonly answered_at: Date
}

// Of an answer the worker is told only when all that it needs to go on is held again.
function toReply(row: RequestRow): ReplyView {
  const { id, status, is_away: isAway, response } = toView(row)
  return {
    request_id: id,
    status: isAway ? 'open' : status,
    response: isAway ? null : response,
    fences: row.fences ?? {},
  }
}

function toView(row: RequestRow): RequestView {
  return {
    id: row.id,
    status: row.status,
    job_id: row.job_id,
    task: row.task,
    user: row.user_name,
    agent_id: row.agent_id,
    request_type: row.request_type,
    message: row.message,
    context: row.context,
    conversation_id: row.conversation_id,
    parent_message_id: row.parent_message_id,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    settled_at: row.settled_at?.toISOString() ?? null,
    given_back: row.given_back,
    is_away: row.is_away,
    response:
      row.response_id === null
        ? null
        : {
            id: row.response_id,
            response_type: row.response_type,
            message: row.response,
            instructions: row.instructions,
            generated_by: row.generated_by,
            responder_id: row.responder_id,
            created_at: row.answered_at.toISOString(),
          },
  }
}
