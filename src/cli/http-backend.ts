import { HttpClient } from '../client/http-client.ts'
import { acquireOverHttp, releaseOverHttp } from '../client/http-locks.ts'
import type { JobPage } from '../client/views.ts'
import { readActor } from '../config.ts'
import type { AlarmView } from '../domain/alarm.ts'
import type { Allocation } from '../domain/allocation.ts'
import type { EventView } from '../domain/event-view.ts'
import type { Explanation } from '../domain/explanation.ts'
import type { HistorySummary } from '../domain/history-summary.ts'
import type { JobView } from '../domain/job-view.ts'
import type { LockView, ReleasedView, SweptView } from '../domain/lock-view.ts'
import type { OutputChunkView } from '../domain/output-view.ts'
import type { RequestPage, RequestView } from '../domain/question-view.ts'
import type { EventPage } from '../domain/queue-event.ts'
import type { QueueStatus } from '../domain/queue-status.ts'
import type { AppliedWorkflow, CancelledExecution, ExecutionView, WorkflowView } from '../domain/workflow.ts'
import type { AgentChanged, AgentsNow, Backend, BackendOptions } from './backend.ts'
import { httpKeys } from './http-keys.ts'
import { httpSchedules } from './http-schedules.ts'
import { createHttpSteering } from './http-steering.ts'

/** A chunk may be a megabyte. */
const chunksAtOnce = 20
const requestsAtOnce = 1000

interface TimelinePage {
  readonly events: readonly EventView[]
  readonly next_after: number | null
}

interface OutputPage {
  readonly chunks: readonly OutputChunkView[]
}

/** A queue behind a coordinator's HTTP interface. */
export function createHttpBackend(
  url: string,
  { signal, key }: BackendOptions & { readonly key: string | null },
): Backend {
  const client = new HttpClient({ url, signal, key })
  const workflowPath = (id: string) => `/workflows/${encodeURIComponent(id)}`
  const jobPath = (id: string) => `/jobs/${encodeURIComponent(id)}`
  return {
    ...createHttpSteering(client),
    enqueue: (request) => client.send<JobView>('/jobs', { method: 'POST', body: request }),
    getJob: (id) => client.send<JobView>(jobPath(id)),
    listJobs: ({ status, ...filter }) =>
      client.send<JobPage>('/jobs', { query: { ...filter, status: status?.join(',') } }),
    explainJob: (id) => client.send<Explanation>(`${jobPath(id)}/explain`),
    async timeline(id) {
      const events: EventView[] = []
      for (let after: number | null = 0; after !== null; ) {
        const page: TimelinePage = await client.send(`${jobPath(id)}/timeline`, { query: { after } })
        events.push(...page.events)
        after = page.next_after
      }
      return events
    },
    async output(id, after) {
      const page = await client.send<OutputPage>(`${jobPath(id)}/output`, { query: { after, limit: chunksAtOnce } })
      return page.chunks
    },
    waitForJob: (id, timeoutSeconds) =>
      client.send<JobView>(`${jobPath(id)}/wait`, {
        query: { timeout_seconds: timeoutSeconds },
        timeoutSeconds: timeoutSeconds + 10,
      }),
    changeJob(id, change, reason) {
      const body = { ...(reason === null ? {} : { reason }), actor: readActor() }
      return change === 'delete'
        ? client.send(jobPath(id), { method: 'DELETE', body })
        : client.send(`${jobPath(id)}/${change}`, { method: 'POST', body })
    },
    queueStatus: () => client.send<QueueStatus>('/queue/status'),
    agents: () => client.send<AgentsNow>('/agents'),
    allocation: () => client.send<Allocation>('/agents/allocation'),
    changeAgent: (id, change, reason) =>
      client.send<AgentChanged>(`/agents/${encodeURIComponent(id)}/${change}`, {
        method: 'POST',
        body: { ...(reason === null ? {} : { reason }), actor: readActor() ?? undefined },
      }),
    async locks(filter) {
      const { locks } = await client.send<{ readonly locks: readonly LockView[] }>('/locks', { query: { ...filter } })
      return locks
    },
    acquireLock: (request, signal) => acquireOverHttp(client, request, { signal, actor: readActor() }),
    extendLock: (id, token, leaseSeconds) =>
      client.send(`/locks/${encodeURIComponent(id)}/extend`, {
        method: 'POST',
        body: { token, ...(leaseSeconds === null ? {} : { lease_seconds: leaseSeconds }) },
      }),
    release: (release): Promise<readonly ReleasedView[]> => releaseOverHttp(client, release, readActor()),
    async sweepLocks(olderThanSeconds, { dryRun, project }) {
      const body = { older_than_seconds: olderThanSeconds, dry_run: dryRun, project, actor: readActor() ?? undefined }
      const { locks } = await client.send<{ readonly locks: readonly SweptView[] }>('/locks/sweep', {
        method: 'POST',
        body,
      })
      return locks
    },
    async requests(filter) {
      const { requests } = await client.send<RequestPage>('/requests', { query: { ...filter, limit: requestsAtOnce } })
      return requests
    },
    request: (id) => client.send<RequestView>(`/requests/${encodeURIComponent(id)}`),
    answer: (id, response) =>
      client.send<RequestView>(`/requests/${encodeURIComponent(id)}/response`, {
        method: 'POST',
        body: { ...response, actor: readActor() ?? undefined },
      }),
    async workflows() {
      const { workflows } = await client.send<{ readonly workflows: readonly WorkflowView[] }>('/workflows')
      return workflows
    },
    getWorkflow: (id) => client.send<WorkflowView>(workflowPath(id)),
    async applyWorkflow(definition) {
      const path = workflowPath(definition.id)
      const applied = await client.send<WorkflowView & AppliedWorkflow>(path, { method: 'PUT', body: definition })
      return { workflow_id: applied.id, version: applied.version, changed: applied.changed }
    },
    executeWorkflow: (id, request) =>
      client.send<ExecutionView>(`${workflowPath(id)}/execute`, { method: 'POST', body: request }),
    cancelExecution: (id, reason) =>
      client.send<CancelledExecution>(`/workflow-executions/${encodeURIComponent(id)}/cancel`, {
        method: 'POST',
        body: { ...(reason === null ? {} : { reason }), actor: readActor() ?? undefined },
      }),
    getExecution: (id) => client.send<ExecutionView>(`/workflow-executions/${encodeURIComponent(id)}`),
    schedules: httpSchedules(client),
    keys: httpKeys(client),
    alarms: async () => (await client.send<{ readonly alarms: readonly AlarmView[] }>('/alarms')).alarms,
    events: ({ cursor, event_types: types, ...rest }) =>
      client.send<EventPage>('/events', { query: { ...rest, since: cursor ?? undefined, type: types?.join(',') } }),
    historySummary: (question) => client.send<HistorySummary>('/history/summary', { query: { ...question } }),
    close: () => Promise.resolve(),
  }
}
