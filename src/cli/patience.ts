import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import type { Call } from './runtime.ts'

/** A restart takes seconds; whatever takes longer is for a person to know. */
const patienceMs = 60_000
const askAgainMs = 500

/**
 * Asks again while the coordinator or the database is away, for a minute: somebody who waits for a job of an hour does
 * not care that a coordinator was restarted meanwhile. For what has answered before; the first question fails at once.
 */
export async function patiently<Answer>(call: Call, ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = performance.now() + patienceMs
  for (let asked = 1; ; asked += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!isInterlockError(error, 'unavailable') || performance.now() > deadline) throw error
      if (asked === 1) call.terminal.note(`${error.message}; waiting for it`)
      await sleep(askAgainMs, undefined, { signal: call.signal })
    }
  }
}
