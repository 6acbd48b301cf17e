import type { Scope } from './scopes.ts'

/** What the doors answer about a key: JSON, snake_case, ISO 8601 times. Nothing of its secret. */
export interface KeyView {
  readonly id: string
  readonly name: string
  readonly state: 'active' | 'expired' | 'revoked'
  readonly scopes: readonly Scope[]
  readonly created_at: string
  readonly created_by: string
  readonly expires_at: string | null
  /** To the minute. */
  readonly last_used_at: string | null
  readonly rotated_at: string | null
  /** Until when the secret before the last rotation is good too. */
  readonly previous_until: string | null
  readonly revoked_at: string | null
}

export interface KeyPage {
  readonly keys: readonly KeyView[]
  readonly next_cursor: string | null
}

/** A key that was just made, or has just got another secret: the only answer that has it whole. */
export interface IssuedKey extends KeyView {
  readonly key: string
}
