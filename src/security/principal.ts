import type { Scope } from './scopes.ts'

/** Who asks at a door. */
export type Principal =
  /** The holder of a key that is good. */
  | { readonly kind: 'key'; readonly id: string; readonly name: string; readonly scopes: readonly Scope[] }
  /** Whoever reaches the door, where no keys are asked for. */
  | { readonly kind: 'trusted' }
  /** Somebody who has shown no key, or one that is good for nothing. */
  | { readonly kind: 'nobody'; readonly why: WhyNobody; readonly keyId: string | null }

export type WhyNobody = 'missing' | 'unknown' | 'expired' | 'revoked'

export const trusted: Principal = { kind: 'trusted' }

/**
 * Whom the log names. The holder of a key is who its key says, whatever the call claims; where keys are off, they are
 * who they say, or else the door.
 */
export function actorOf(principal: Principal, given: string | undefined, door: string): string {
  return principal.kind === 'key' ? principal.name : (given ?? door)
}
