import { InterlockError } from '../domain/errors.ts'
import type { Principal, WhyNobody } from './principal.ts'
import { allows, type Scope } from './scopes.ts'

/**
 * What a call needs: a scope; `key`, any good key, where what is inside asks for a scope of its own (one address for many
 * verbs); or nothing at all, `open`, which has to be said.
 */
export type Needed = Scope | 'key' | 'open'

/** Why somebody may not do this; null: they may. The one place where that is decided, for every door. */
export function refusalOf(needed: Needed, principal: Principal): InterlockError | null {
  if (needed === 'open' || principal.kind === 'trusted') return null
  if (principal.kind === 'nobody') {
    return new InterlockError('not_authenticated', whyNobody[principal.why], {
      hint: 'Send Authorization: Bearer il_…; `interlock keys create` makes a key.',
    })
  }
  if (needed === 'key' || allows(principal.scopes, needed)) return null
  return new InterlockError('not_permitted', `the key ${principal.name} has not the scope ${needed}`, {
    field: 'scope',
    hint: `It has ${principal.scopes.join(', ')}. Make a key with ${needed}.`,
  })
}

const whyNobody: Readonly<Record<WhyNobody, string>> = {
  missing: 'a key is needed here',
  unknown: 'this key is not known',
  expired: 'this key has expired',
  revoked: 'this key was revoked',
}
