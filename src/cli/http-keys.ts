import type { HttpClient } from '../client/http-client.ts'
import { readActor } from '../config.ts'
import type { AuditPage } from '../security/audit-view.ts'
import type { IssuedKey, KeyPage, KeyView } from '../security/key-view.ts'
import type { KeyBackend } from './key-backend.ts'

/** Keys behind a coordinator's HTTP interface. */
export function httpKeys(client: HttpClient): KeyBackend {
  const path = (id: string, rest = '') => `/keys/${encodeURIComponent(id)}${rest}`
  const actor = readActor() ?? undefined
  return {
    list: (cursor) => client.send<KeyPage>('/keys', { query: { cursor: cursor ?? undefined } }),
    create: (request) => client.send<IssuedKey>('/keys', { method: 'POST', body: { ...request, actor } }),
    rotate: (id, rotation) =>
      client.send<IssuedKey>(path(id, '/rotate'), { method: 'POST', body: { ...rotation, actor } }),
    revoke: (id, reason) =>
      client.send<KeyView>(path(id), { method: 'DELETE', body: { actor, reason: reason ?? undefined } }),
    audit: (filter, limit) => client.send<AuditPage>('/audit', { query: { ...filter, limit } }),
  }
}
