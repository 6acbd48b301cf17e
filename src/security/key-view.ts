import { z } from 'zod'
import { scopes } from './scopes.ts'

const time = z.iso.datetime()

/** What the doors answer about a key: JSON, snake_case, ISO 8601 times. Nothing of its secret. */
export const keyView = z
  .object({
    id: z.string(),
    name: z.string(),
    state: z.enum(['active', 'expired', 'revoked']),
    scopes: z.array(z.enum(scopes)).readonly(),
    created_at: time,
    created_by: z.string(),
    expires_at: time.nullable(),
    last_used_at: time.nullable().describe('To the minute.'),
    rotated_at: time.nullable(),
    previous_until: time.nullable().describe('Until when the secret before the last rotation is good too.'),
    revoked_at: time.nullable(),
  })
  .readonly()
  .meta({ id: 'Key' })
export type KeyView = z.output<typeof keyView>

export const keyPage = z.object({ keys: z.array(keyView).readonly(), next_cursor: z.string().nullable() }).readonly()
export type KeyPage = z.output<typeof keyPage>

/** A key that was just made, or has just got another secret: the only answer that has it whole. */
export const issuedKey = z
  .object({ ...keyView.unwrap().shape, key: z.string() })
  .readonly()
  .meta({ id: 'IssuedKey' })
export type IssuedKey = z.output<typeof issuedKey>
