import { setTimeout as sleep } from 'node:timers/promises'

export interface UntilOptions {
  readonly what: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly everyMs?: number
}

/** Asks until the answer is something, and returns it. Throws when the time is over, naming what was waited for. */
export async function until<Answer>(
  ask: () => Promise<Answer | null | undefined | false>,
  { what, timeoutMs, signal, everyMs = 20 }: UntilOptions,
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    signal.throwIfAborted()
    const answer = await ask()
    if (answer !== null && answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`)
    await sleep(everyMs, undefined, { signal })
  }
}
