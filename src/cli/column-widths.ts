/** A column as wide as its widest text, and how narrow it may get; null: it keeps its width. */
export interface ColumnWidth {
  readonly width: number
  readonly least: number | null
}

/** The widths at which columns fit into a line: the widest that may gives way, place by place. */
export function fitColumns(columns: readonly ColumnWidth[], gap: number, total: number): readonly number[] {
  const widths = columns.map(({ width }) => width)
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap * (columns.length - 1) - total
  while (excess > 0) {
    const widest = indexOfWidest(columns, widths)
    if (widest === null) break
    widths[widest] = (widths[widest] ?? 0) - 1
    excess -= 1
  }
  return widths
}

function indexOfWidest(columns: readonly ColumnWidth[], widths: readonly number[]): number | null {
  let best: number | null = null
  for (const [index, width] of widths.entries()) {
    const least = columns[index]?.least ?? null
    if (least === null || width <= least) continue
    if (best === null || width > (widths[best] ?? 0)) best = index
  }
  return best
}
