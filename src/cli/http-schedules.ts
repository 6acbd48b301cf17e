import type { HttpClient } from '../client/http-client.ts'
import { readActor } from '../config.ts'
import type { SchedulePage, ScheduleView } from '../domain/schedule-view.ts'
import type { ScheduleBackend } from './schedule-backend.ts'

/** Schedules behind a coordinator's HTTP interface. */
export function httpSchedules(client: HttpClient): ScheduleBackend {
  const path = (name: string, rest = '') => `/schedules/${encodeURIComponent(name)}${rest}`
  const actor = readActor() ?? undefined
  return {
    list: (cursor) => client.send<SchedulePage>('/schedules', { query: { cursor: cursor ?? undefined } }),
    show: (name, times) => client.send<ScheduleView>(path(name), { query: { times } }),
    async set(name, request) {
      await client.send(path(name), { method: 'PUT', body: request, query: { actor } })
    },
    run: (name) => client.send(path(name, '/run'), { method: 'POST', body: { actor } }),
    async pause(name, isPaused) {
      await client.send(path(name, isPaused ? '/pause' : '/resume'), { method: 'POST', body: { actor } })
    },
    async delete(name) {
      await client.send(path(name), { method: 'DELETE', query: { actor } })
    },
  }
}
