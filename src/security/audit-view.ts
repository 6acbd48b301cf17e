/** A line of the audit, as the doors show it. */
export interface AuditView {
  readonly id: number
  readonly at: string
  readonly actor: string
  readonly key_id: string | null
  readonly operation: string
  readonly subject: string | null
  readonly outcome: 'done' | 'refused' | 'failed'
  readonly code: string | null
  readonly reason: string | null
  readonly request_id: string | null
}

export interface AuditPage {
  readonly lines: readonly AuditView[]
  readonly next_cursor: string | null
}

/** What lines of the audit are chosen by. */
export interface AuditFilter {
  readonly actor?: string | undefined
  readonly key?: string | undefined
  readonly operation?: string | undefined
  readonly subject?: string | undefined
  readonly outcome?: AuditView['outcome'] | undefined
}
