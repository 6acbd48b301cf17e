import { channel } from 'node:diagnostics_channel'

/**
 * What only a process knows of itself, said where it happens and heard by whoever counts: where nobody listens, saying it
 * costs nothing. The store would else have to carry a counter through every door that it is called from.
 */
export interface ClaimHappening {
  readonly seconds: number
  readonly result: 'some' | 'none' | 'contended'
}

const claims = channel('interlock.claim')
const staleWrites = channel('interlock.stale_write')

export function tellClaim(happening: ClaimHappening): void {
  claims.publish(happening)
}

/** Writes of holders that were refused because their token is an old one. */
export function tellStaleWrites(count: number): void {
  if (count > 0) staleWrites.publish(count)
}

export function hearClaims(listener: (happening: ClaimHappening) => void): void {
  claims.subscribe((message) => listener(message as ClaimHappening))
}

export function hearStaleWrites(listener: (count: number) => void): void {
  staleWrites.subscribe((message) => listener(message as number))
}
