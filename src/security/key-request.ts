import { z } from 'zod'
import { scopes } from './scopes.ts'

const centurySeconds = 3_153_600_000
export const defaultOverlapSeconds = 86_400

const expiresSeconds = z.int().min(1).max(centurySeconds)

/** A key that somebody asks for. Its name is the actor in the log of all that is done with it. */
export const keyRequest = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/,
      'must be 1 to 63 letters, digits and . _ @ -, a letter or digit first',
    ),
  scopes: z.array(z.enum(scopes)).min(1).max(scopes.length),
  /** Unless set, it does not expire. */
  expires_in_seconds: expiresSeconds.optional(),
})
export type KeyRequest = z.output<typeof keyRequest>

/** Another secret for a key. */
export const rotation = z.strictObject({
  /** For how long the former secret stays good. */
  overlap_seconds: z.int().min(0).max(2_592_000).default(defaultOverlapSeconds),
  /** Unless set, it expires when it would have. */
  expires_in_seconds: expiresSeconds.optional(),
})
export type Rotation = z.output<typeof rotation>
