import type { HttpClient } from '../client/http-client.ts'
import { readActor } from '../config.ts'
import type { BacklogLimit } from '../domain/backlog-limit.ts'
import type { DeadLetters } from '../domain/dead-letter.ts'
import type { BulkAnswer, BulkChange } from '../domain/job-filter.ts'
import type { QueueView, ResourceView } from '../domain/queue-view.ts'
import type { Steering } from './steering.ts'

const bulkPaths: Readonly<Record<BulkChange, string>> = {
  cancel: '/jobs/cancel',
  requeue: '/jobs/requeue',
  priority: '/jobs/priority',
  // There is no call that deletes what waits: of many, only dead letters are.
  delete: '/dead-letters/clear',
}

/** The operator's verbs behind a coordinator's HTTP interface. */
export function createHttpSteering(client: HttpClient): Steering {
  const actor = readActor() ?? undefined
  return {
    async setPriority(id, priority, reason) {
      const body = { priority, actor, ...(reason === null ? {} : { reason }) }
      await client.send(`/jobs/${encodeURIComponent(id)}/priority`, { method: 'POST', body })
    },
    changeJobs(change, selection, { dryRun, reason, priority, cursor }) {
      const { status, ...filter } = selection
      const body = {
        ...filter,
        ...(change === 'delete' || status === undefined ? {} : { status }),
        dry_run: dryRun,
        actor,
        priority,
        cursor,
        ...(reason === null ? {} : { reason }),
      }
      return client.send<BulkAnswer>(bulkPaths[change], { method: 'POST', body })
    },
    deadLetters: ({ status: _status, all: _all, ...filter }, limit) =>
      client.send<DeadLetters>('/dead-letters', { query: { ...filter, limit } }),
    async queues() {
      const { queues } = await client.send<{ readonly queues: readonly QueueView[] }>('/queues')
      return queues
    },
    changeQueue: (name, settings, { mayCreate = false } = {}) =>
      client.send<QueueView>(`/queues/${encodeURIComponent(name)}`, {
        method: mayCreate ? 'PUT' : 'PATCH',
        body: { ...settings, actor },
      }),
    async backlogLimits() {
      const { limits } = await client.send<{ readonly limits: readonly BacklogLimit[] }>('/backlog-limits')
      return limits
    },
    async changeBacklogLimit(scope, settings) {
      const path = `/backlog-limits/${encodeURIComponent(scope)}`
      const { limit } = await client.send<{ readonly limit: BacklogLimit | null }>(path, {
        method: 'PUT',
        body: { ...settings, actor },
      })
      return limit
    },
    async resources() {
      const { resources } = await client.send<{ readonly resources: readonly ResourceView[] }>('/resources')
      return resources
    },
    async changeResource(pattern, settings) {
      const path = `/resources/${encodeURIComponent(pattern)}`
      const answer = await client.send<{ readonly resource: ResourceView | null }>(path, {
        method: 'PATCH',
        body: { ...settings, actor },
      })
      return answer.resource
    },
    async removeResource(pattern) {
      const path = `/resources/${encodeURIComponent(pattern)}`
      const { removed } = await client.send<{ readonly removed: boolean }>(path, { method: 'DELETE', body: { actor } })
      return removed
    },
  }
}
