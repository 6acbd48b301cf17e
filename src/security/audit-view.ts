import { z } from 'zod'

/** A line of the audit, as the doors show it. */
const auditView = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    actor: z.string(),
    key_id: z.string().nullable(),
    operation: z.string(),
    subject: z.string().nullable(),
    outcome: z.enum(['done', 'refused', 'failed']),
    code: z.string().nullable(),
    reason: z.string().nullable(),
    request_id: z.string().nullable(),
  })
  .readonly()
  .meta({ id: 'AuditLine' })
export type AuditView = z.output<typeof auditView>

export const auditPage = z
  .object({ lines: z.array(auditView).readonly(), next_cursor: z.string().nullable() })
  .readonly()
export type AuditPage = z.output<typeof auditPage>

/** What lines of the audit are chosen by. */
export interface AuditFilter {
  readonly actor?: string | undefined
  readonly key?: string | undefined
  readonly operation?: string | undefined
  readonly subject?: string | undefined
  readonly outcome?: AuditView['outcome'] | undefined
}
