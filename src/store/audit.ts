import type { AuditFilter, AuditPage, AuditView } from '../security/audit-view.ts'
import type { Queryable } from './queryable.ts'

/** Something that was asked for at a door, and what became of it. */
export interface AuditLine {
  readonly operation: string
  readonly outcome: AuditView['outcome']
  readonly subject: string | null
  readonly actor: string
  readonly keyId: string | null
  readonly code: string | null
  readonly reason: string | null
  readonly requestId: string | null
}

export async function recordAudit(queryable: Queryable, line: AuditLine): Promise<void> {
  const { operation, outcome, subject, actor, keyId, code, reason, requestId } = line
  await queryable.query(
    'select interlock.record_audit($1, $2, $3, $4, $5, $6, $7, $8)',
    [operation, outcome, subject, actor, keyId, code, reason, requestId],
    'record_audit',
  )
}

/** The newest first; the cursor is the id of the last one. */
export async function listAudit(
  queryable: Queryable,
  { actor, key, operation, subject, outcome }: AuditFilter,
  { cursor, limit }: { readonly cursor?: number | undefined; readonly limit: number },
): Promise<AuditPage> {
  const rows = await queryable.query<Omit<AuditView, 'at'> & { readonly at: Date }>(
    `select a.id, a.created_at as at, a.actor, a.key_id, a.operation, a.subject, a.outcome, a.code, a.reason, a.request_id
     from interlock.audit_log as a
     where ($1::text is null or a.actor = $1)
       and ($2::text is null or a.key_id = $2)
       and ($3::text is null or a.operation = $3)
       and ($4::text is null or a.subject = $4)
       and ($5::text is null or a.outcome = $5)
       and ($6::bigint is null or a.id < $6)
     order by a.id desc
     limit $7`,
    [actor ?? null, key ?? null, operation ?? null, subject ?? null, outcome ?? null, cursor ?? null, limit + 1],
  )
  const lines = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }))
  return { lines, next_cursor: rows.length > limit ? String(lines.at(-1)?.id) : null }
}
