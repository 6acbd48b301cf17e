import type { AuditFilter, AuditPage } from '../security/audit-view.ts'
import type { KeyRequest, Rotation } from '../security/key-request.ts'
import type { IssuedKey, KeyPage, KeyView } from '../security/key-view.ts'

/** The part of a backend that is about keys and the audit. */
export interface KeyBackend {
  list(cursor: string | null): Promise<KeyPage>
  create(request: KeyRequest): Promise<IssuedKey>
  rotate(id: string, rotation: Rotation): Promise<IssuedKey>
  revoke(id: string, reason: string | null): Promise<KeyView>
  /** The newest first. */
  audit(filter: AuditFilter, limit: number): Promise<AuditPage>
}
