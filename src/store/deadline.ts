import { InterlockError } from '../domain/errors.ts'

/**
 * The work's result, or `unavailable` when it takes longer. The work itself goes on: whoever calls must be able to bear
 * that it still succeeds.
 */
export async function within<Result>(limitMs: number, what: string, work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new InterlockError('unavailable', `${what} took longer than ${Math.round(limitMs)} ms`)),
    limitMs,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

// The longest that setTimeout takes; beyond, it fires at once.
const timerMsMax = 2_147_483_647

/** Calls back after any time, a month too. Returns how to call it off. */
export function after(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = (leftMs: number) => {
    timer = setTimeout(
      () => (leftMs > timerMsMax ? arm(leftMs - timerMsMax) : callback()),
      Math.min(leftMs, timerMsMax),
    )
  }
  arm(delayMs)
  return () => clearTimeout(timer)
}
