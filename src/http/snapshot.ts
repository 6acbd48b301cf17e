export interface SnapshotOptions<Value> {
  readonly read: () => Promise<Value>
  readonly maxAgeMs: number
}

/**
 * Reads at most once at a time, and at most once in `maxAgeMs`, for any number of callers: a hundred dashboards cost the
 * database what one costs. A failure is told to those who waited for it, and not kept.
 */
export function createSnapshot<Value>({ read, maxAgeMs }: SnapshotOptions<Value>): () => Promise<Value> {
  let kept: { readonly value: Value; readonly readAtMs: number } | null = null
  let reading: Promise<Value> | null = null

  const readAnew = async (): Promise<Value> => {
    // Its age counts from before the question: the answer may be as old as that.
    const readAtMs = performance.now()
    const value = await read()
    kept = { value, readAtMs }
    return value
  }

  return function current() {
    if (kept !== null && performance.now() - kept.readAtMs < maxAgeMs) return Promise.resolve(kept.value)
    reading ??= readAnew().finally(() => {
      reading = null
    })
    return reading
  }
}
