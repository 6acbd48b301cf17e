import { InterlockError } from '../domain/errors.ts'
import type { EventView } from '../domain/event-view.ts'
import type { JobView } from '../domain/job-view.ts'
import type { OutputChunkView } from '../domain/output-view.ts'
import type { QueueEvent } from '../domain/queue-event.ts'
import { HttpClient } from './http-client.ts'
import { acquireOverHttp, releaseOverHttp } from './http-locks.ts'
import { clientClosed } from './refusal.ts'
import { readSentEvents } from './sent-events.ts'
import type { Enqueued, EnqueueWay, Transport, WrittenJob } from './transport.ts'

/** Beyond its wait an answer may take so long. */
const answerSeconds = 15

export interface HttpTransportOptions {
  readonly url: string
  readonly key?: string | undefined
  readonly actor: string | null
}

/** The verbs over a coordinator's HTTP interface. */
export function createHttpTransport({ url, key, actor }: HttpTransportOptions): Transport {
  const closing = new AbortController()
  const hint = 'Is a coordinator running there? createClient({ url }) names the place.'
  const http = new HttpClient({ url, key, signal: closing.signal, hint })
  const jobPath = (id: string) => `/jobs/${encodeURIComponent(id)}`
  const requestPath = (id: string) => `/requests/${encodeURIComponent(id)}`
  const signed = actor === null ? {} : { actor }
  const named = (idempotencyKey: string | undefined) =>
    idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }

  const ending = (signal: AbortSignal | undefined) =>
    signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal])

  async function enqueue(jobs: readonly WrittenJob[], way: EnqueueWay): Promise<readonly Enqueued[]> {
    if (way.transaction !== undefined) throw noTransaction()
    const [only] = jobs
    if (jobs.length !== 1 || only === undefined) {
      const { jobs: enqueued } = await http.send<{ readonly jobs: readonly Answered[] }>('/jobs/batch', {
        method: 'POST',
        body: { jobs },
        ...named(way.idempotencyKey),
      })
      return enqueued.map(toEnqueued)
    }
    const body = only
    return [toEnqueued(await http.send<Answered>('/jobs', { method: 'POST', body, ...named(way.idempotencyKey) }))]
  }

  return {
    enqueue,
    job: (id) => http.send(jobPath(id)),
    list: ({ status, ...filter }) => http.send('/jobs', { query: { ...filter, status: status?.toString() } }),
    waitForJob: (id, waitSeconds, signal) =>
      http.send<JobView>(`${jobPath(id)}/wait`, {
        query: { timeout_seconds: waitSeconds },
        timeoutSeconds: waitSeconds + answerSeconds,
        signal,
      }),
    async change(id, change, reason) {
      const body = { ...signed, ...(reason === null ? {} : { reason }) }
      const { status } = await http.send<Answered>(`${jobPath(id)}/${change}`, { method: 'POST', body })
      return { id, status }
    },
    explain: (id) => http.send(`${jobPath(id)}/explain`),
    async timeline(id) {
      const events: EventView[] = []
      for (let after: number | null = 0; after !== null; ) {
        const page: EventPage = await http.send(`${jobPath(id)}/timeline`, { query: { after } })
        events.push(...page.events)
        after = page.next_after
      }
      return events
    },
    async *output(id, after, signal) {
      const options = { query: { follow: 1 }, start: { after }, signal: ending(signal) }
      for await (const { name, data } of readSentEvents(http, `${jobPath(id)}/output`, options)) {
        if (name === 'end') return
        if (name === 'output') yield data as OutputChunkView
      }
    },
    status: () => http.send('/queue/status'),
    async *events({ since, event_types: types, ...filter }, signal) {
      const query = { ...filter, type: types?.join(',') }
      for await (const { id, data } of readSentEvents(http, '/events', {
        query,
        start: { since },
        signal: ending(signal),
      })) {
        // What names no place is the server's word about the stream, not an event of the log.
        if (id !== null) yield { ...(data as QueueEvent), cursor: id }
      }
    },
    acquireLock: (request, signal) => acquireOverHttp(http, request, { actor, signal }),
    extendLock: (id, token, leaseSeconds) =>
      http.send(`/locks/${encodeURIComponent(id)}/extend`, {
        method: 'POST',
        body: { token, lease_seconds: leaseSeconds },
      }),
    async releaseLock(id, token) {
      await releaseOverHttp(http, { key: id, jobId: null, token, reason: null }, actor)
    },
    requests: (query) => http.send('/requests', { query: { ...query } }),
    answer: (id, response) =>
      http.send(`${requestPath(id)}/response`, { method: 'POST', body: { ...response, ...signed } }),
    execute: (workflowId, request, idempotencyKey) =>
      http.send(`/workflows/${encodeURIComponent(workflowId)}/execute`, {
        method: 'POST',
        // With it always: without, the server takes what it does not know for the input.
        body: { input: {}, ...request },
        ...named(idempotencyKey),
      }),
    execution: (id) => http.send(`/workflow-executions/${encodeURIComponent(id)}`),
    close() {
      closing.abort(clientClosed())
      return Promise.resolve()
    },
  }
}

interface Answered {
  readonly id: string
  readonly status: Enqueued['status']
  readonly is_duplicate?: boolean
}

interface EventPage {
  readonly events: readonly EventView[]
  readonly next_after: number | null
}

function toEnqueued({ id, status, is_duplicate = false }: Answered): Enqueued {
  return { id, status, is_duplicate }
}

function noTransaction(): InterlockError {
  return new InterlockError('invalid_argument', 'transaction cannot reach over HTTP', {
    field: 'transaction',
    hint: 'Make the client of the pool that the transaction belongs to: createClient({ pool }).',
  })
}
