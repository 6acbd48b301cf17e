import { createHash } from 'node:crypto'
import type { PermissionLevel } from './job.ts'
import type { PriorityName } from './priority.ts'
import { isPriorityName } from './priority.ts'

/**
 * The requests of a `pending-requests.json`, as tools that came before wrote it: an array, an object with the array under
 * some key, or a map from id to request. Their records agree on little, so each field is looked for under all its names.
 */

/** `approved` may run, `review` waits for a person, `done` never runs again. */
export type RequestState = 'approved' | 'review' | 'done'

export interface PendingRequest {
  /** Where it stands in the file: `requests[3]`, `requests.req-7`. */
  readonly place: string
  readonly state: RequestState
  readonly type: string
  /** The job as a door would be asked for it; null for what is done. */
  readonly job: Readonly<Record<string, unknown>> | null
}

export interface BadRequest {
  readonly place: string
  readonly problem: string
}

export interface PendingRequests {
  readonly requests: readonly PendingRequest[]
  readonly bad: readonly BadRequest[]
}

type Fields = Readonly<Record<string, unknown>>

const listKeys = ['requests', 'pending_requests', 'pendingRequests', 'pending', 'items', 'queue', 'tasks', 'data']
const statesByWord: Readonly<Record<string, RequestState>> = {
  ...words('approved', 'approved ready accepted authorized authorised go'),
  ...words(
    'review',
    'pending pending_review review in_review awaiting_review awaiting_approval needs_review submitted new open',
  ),
  ...words('done', 'completed complete done finished resolved closed executed processed success succeeded failed'),
  ...words('done', 'rejected denied declined cancelled canceled expired withdrawn duplicate archived'),
}
/** As words, and not as parts of some: `critical` counts, `uncritical` does not. */
const urgentWords = /\b(urgent|emergency|critical|asap|immediately|outage|p0)\b/i

/** Reads the whole file's JSON; what is no record that can be told is named with its place, and the rest goes on. */
export function readPendingRequests(
  json: unknown,
  { permissionLevel }: { readonly permissionLevel: PermissionLevel },
): PendingRequests {
  const requests: PendingRequest[] = []
  const bad: BadRequest[] = []
  const places = new Map<string, string>()
  for (const { place, key, record } of recordsOf(json)) {
    const read = readRequest(place, key, record, permissionLevel)
    if ('problem' in read) {
      bad.push(read)
      continue
    }
    const id = String(read.job?.id ?? '')
    const before = places.get(id)
    if (id !== '' && before !== undefined) bad.push({ place, problem: `has the id of ${before}` })
    else requests.push(read)
    if (id !== '') places.set(id, place)
  }
  return { requests, bad }
}

interface Found {
  readonly place: string
  /** What a map calls it. */
  readonly key: string | null
  readonly record: unknown
}

function recordsOf(json: unknown): readonly Found[] {
  if (Array.isArray(json)) return fromList(json, '')
  if (!isObject(json)) throw new TypeError('it is neither an array nor an object')
  for (const key of listKeys) {
    const inside = json[key]
    if (Array.isArray(inside)) return fromList(inside, key)
    if (isObject(inside)) return fromMap(inside, `${key}.`)
  }
  const records = Object.entries(json).filter(([, value]) => isObject(value))
  if (records.length === 0 && Object.keys(json).length > 0) {
    throw new TypeError(`it has no list of requests: none of ${listKeys.join(', ')}`)
  }
  return fromMap(Object.fromEntries(records), '')
}

function fromList(list: readonly unknown[], key: string): readonly Found[] {
  return list.map((record, index) => ({ place: `${key}[${index}]`, key: null, record }))
}

function fromMap(map: Fields, at: string): readonly Found[] {
  return Object.entries(map).map(([key, record]) => ({ place: `${at}${key}`, key, record }))
}

function readRequest(
  place: string,
  key: string | null,
  record: unknown,
  permissionLevel: PermissionLevel,
): PendingRequest | BadRequest {
  if (!isObject(record)) return { place, problem: 'is no object' }
  const type = textOf(record, ['type', 'request_type', 'requestType', 'kind', 'action', 'category'])
  if (type === null) return { place, problem: 'names no type' }
  const task = type
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9._/-]+/g, '_')
    .replace(/^[^a-z0-9]+/, '')
  if (task === '' || task.length > 128)
    return { place, problem: `has a type that is no name of a task: ${type.slice(0, 80)}` }
  const state = stateOf(record)
  if (state === null) {
    return { place, problem: `has a status that is not known: ${textOf(record, ['status', 'state'])?.slice(0, 80)}` }
  }
  if (state === 'done') return { place, state, type: task, job: null }
  const approver = textOf(record, ['approved_by', 'approvedBy', 'approver', 'reviewed_by', 'reviewer'])
  const needsApproval = permissionLevel === 'human_required'
  const job = {
    task,
    id: idOf(record, key),
    user:
      textOf(record, [
        'user',
        'username',
        'user_name',
        'requester',
        'requested_by',
        'requestedBy',
        'submitted_by',
        'from',
      ]) ?? undefined,
    project: textOf(record, ['project', 'project_name', 'projectName', 'repo']) ?? undefined,
    priority: priorityOf(record, state),
    permission_level: permissionLevel,
    // It has waited for longer already than a queue lets its jobs wait.
    ttl_seconds: 0,
    ...(needsApproval && state === 'approved' ? { approved_by: (approver ?? 'pending-requests').slice(0, 200) } : {}),
    ...(!needsApproval && state === 'review' ? { start: false } : {}),
    payload: { request: record },
  }
  return {
    place,
    state,
    type: task,
    job: Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)),
  }
}

/** The status says it; without one, whether somebody approved it. An approval that was refused is an end as well. */
function stateOf(record: Fields): RequestState | null {
  const status = textOf(record, ['status', 'state'])
  const approved = record.approved ?? record.is_approved
  const approval = textOf(record, ['approval_status', 'approvalStatus', 'approval'])
  const byStatus = status === null ? undefined : statesByWord[wordOf(status)]
  if (status !== null && byStatus === undefined) return null
  if (byStatus === 'done' || record.completed === true || hasText(record, ['completed_at', 'completedAt']))
    return 'done'
  const byApproval = approval === null ? undefined : statesByWord[wordOf(approval)]
  if (byApproval === 'done') return 'done'
  const isApproved = approved === true || byApproval === 'approved' || hasText(record, ['approved_at', 'approvedAt'])
  return byStatus === 'approved' || isApproved ? 'approved' : 'review'
}

/** What cries URGENT goes first; what somebody has approved before what nobody has looked at. */
function priorityOf(record: Fields, state: RequestState): PriorityName {
  const named = textOf(record, ['priority', 'urgency', 'severity'])?.trim().toLowerCase() ?? ''
  const said = [
    'title',
    'subject',
    'summary',
    'reason',
    'message',
    'description',
    'details',
    'notes',
    'priority',
    'urgency',
    'tags',
  ]
    .flatMap((key) => record[key])
    .filter((value) => typeof value === 'string')
    .join(' ')
  if (urgentWords.test(said)) return 'critical'
  if (isPriorityName(named)) return named
  return state === 'approved' ? 'high' : 'normal'
}

/**
 * The same record has the same id each time, so that importing it again adds nothing: its own, or the key that it stands
 * under, or one made of what it says. By its place would not do: the next file lacks what was done meanwhile.
 */
function idOf(record: Fields, key: string | null): string {
  const own = textOf(record, ['id', 'request_id', 'requestId', 'uuid']) ?? key
  if (own !== null && /^[A-Za-z0-9._:-]{1,100}$/.test(own)) return `pending-${own}`
  const digest = createHash('sha256')
    .update(own ?? canonical(record))
    .digest('hex')
  return `pending-${digest.slice(0, 32)}`
}

/** JSON whose keys are in order, without what changes while a request waits. */
function canonical(record: Fields): string {
  const changing = /^(status|state|approv|review|updated|priority)/
  return JSON.stringify(record, (key, value: unknown) => {
    if (changing.test(key)) return undefined
    return isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
  })
}

function textOf(record: Fields, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = record[key]
    if (typeof value === 'string' && value.trim() !== '') return value
    if (typeof value === 'number') return String(value)
  }
  return null
}

function hasText(record: Fields, keys: readonly string[]): boolean {
  return textOf(record, keys) !== null
}

function wordOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
}

function words(state: RequestState, list: string): Readonly<Record<string, RequestState>> {
  return Object.fromEntries(list.split(' ').map((word) => [word, state]))
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
