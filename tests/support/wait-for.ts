import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  /** 10,000 unless set. */
  readonly timeoutMs?: number
  /** What is waited for, for the message when it does not come. */
  readonly what: string
}

/**
 * Asks until the answer is neither false, null nor undefined, and returns it. For observed facts: a row, a process that
 * is gone, a line in a log. An error thrown by `ask` counts as "not yet", and is shown if it never becomes true.
 */
export async function waitFor<Answer>(
  ask: () => Answer | Promise<Answer>,
  { timeoutMs = 10_000, what }: WaitOptions,
): Promise<NonNullable<Exclude<Answer, false>>> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 1.5, 50)) {
    try {
      const answer = await ask()
      if (answer !== false && answer !== null && answer !== undefined) return answer as never
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`, { cause })
    await sleep(pauseMs)
  }
}
