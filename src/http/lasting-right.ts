import type { Needed } from '../security/permission.ts'
import { refusalOf } from '../security/permission.ts'
import type { Authenticator } from './authenticator.ts'

/** With the authenticator's memory of a second: a call outlives its key by two at the most. */
const lookEveryMs = 500

/**
 * Aborted, with the refusal, when whoever asked may not ask this any more. What takes long is asked once and goes on for
 * minutes or for ever: without this the events would be told to a key that was revoked yesterday, and an agent's wait
 * would be given a job after it. That the database is away is no reason to send anybody off. Watches until `over`.
 */
export function watchRight(
  needed: Needed,
  {
    authenticator,
    authorization,
    over,
  }: {
    readonly authenticator: Authenticator
    readonly authorization: string | undefined
    readonly over: AbortSignal
  },
): AbortSignal {
  const lost = new AbortController()
  const look = async () => {
    const principal = await authenticator.authenticate(authorization).catch(() => null)
    const refusal = principal === null ? null : refusalOf(needed, principal)
    if (refusal !== null) lost.abort(refusal)
  }
  const timer = setInterval(() => void look(), lookEveryMs)
  const end = () => clearInterval(timer)
  over.addEventListener('abort', end, { once: true })
  lost.signal.addEventListener('abort', end, { once: true })
  return lost.signal
}
