/** The value below which this part of them lies; NaN for none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

/** Median over rounds of this round's by that round's: what the machine did to both at the time cancels out. */
export function medianRatio(of: readonly number[], to: readonly number[]): number {
  return median(of.slice(0, to.length).map((value, round) => value / (to[round] ?? Number.NaN)))
}

/** Distances from each to the next. */
export function steps(values: readonly number[]): readonly number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? Number.NaN))
}

/** As a figure is printed: whole where it is large, two places where it is small. */
export function rounded(value: number): number {
  if (!Number.isFinite(value)) return value
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return Number(value.toFixed(places))
}
