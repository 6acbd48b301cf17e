import { listAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { createKey, listKeys, readKey, revokeKey, rotateKey } from '../store/keys.ts'
import type { KeyBackend } from './key-backend.ts'

/** Keys straight in their database: how the first one is made, and the way back in when the last one is lost. */
export function databaseKeys(database: Database, actor: string | null): KeyBackend {
  return {
    list: (cursor) => listKeys(database, { cursor: cursor ?? undefined, limit: 100 }),
    create: (request) => createKey(database, request, { actor }),
    rotate: (id, rotation) => rotateKey(database, id, rotation, { actor }),
    async revoke(id, reason) {
      await revokeKey(database, id, { reason, actor })
      return readKey(database, id)
    },
    audit: (filter, limit) => listAudit(database, filter, { limit }),
  }
}
