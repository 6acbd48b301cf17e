/** A stretch of time, in ms. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** What is left of a span when all of these are taken out of it. */
export function without(whole: Span, taken: readonly Span[]): Span[] {
  const left: Span[] = []
  let fromMs = whole.fromMs
  for (const span of [...taken].sort((a, b) => a.fromMs - b.fromMs)) {
    if (span.toMs <= fromMs) continue
    if (span.fromMs >= whole.toMs) break
    if (span.fromMs > fromMs) left.push({ fromMs, toMs: span.fromMs })
    fromMs = span.toMs
  }
  if (fromMs < whole.toMs) left.push({ fromMs, toMs: whole.toMs })
  return left
}

export interface Step {
  readonly atMs: number
  readonly change: number
}

/** While the steps add up to at least so much. */
export function spansAtLeast(steps: readonly Step[], least: number): Span[] {
  const spans: Span[] = []
  let sum = 0
  let fromMs: number | null = null
  // Of two at one moment the one that adds comes first: what may overlap does.
  for (const { atMs, change } of [...steps].sort((a, b) => a.atMs - b.atMs || b.change - a.change)) {
    sum += change
    if (sum >= least) fromMs ??= atMs
    else if (fromMs !== null) {
      spans.push({ fromMs, toMs: atMs })
      fromMs = null
    }
  }
  if (fromMs !== null) spans.push({ fromMs, toMs: Number.POSITIVE_INFINITY })
  return spans
}
