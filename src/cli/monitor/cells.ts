import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import { fitColumns } from '../column-widths.ts'

/** Texts by the room that they take on a terminal: a Japanese sign or an emoji takes two places, a colour none. */

export interface CellColumn<Row> {
  readonly title: string
  readonly align?: 'right'
  /** An id is of use only whole. */
  readonly isWhole?: boolean
  text(row: Row): string
  /** Colours what has been cut to its width. */
  paint?(cut: string, row: Row): string
}

const gap = 2
const narrowest = 6

export function cut(text: string, width: number): string {
  const line = text.replace(/\s*\n\s*/g, ' ')
  if (width <= 0) return ''
  return stringWidth(line) <= width ? line : cliTruncate(line, width)
}

export function fill(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - stringWidth(text)))
  return align === 'right' ? spaces + text : text + spaces
}

/** Two texts at the ends of a line; when there is no room for both, the left one is cut. */
export function atBothEnds(left: string, right: string, width: number): string {
  const room = width - stringWidth(right) - 1
  if (room < narrowest) return cut(left, width)
  return `${fill(cut(left, room), room)} ${right}`
}

/** A title and a rule behind it, to the end of the line. */
export function ruled(title: string, width: number): string {
  const text = cut(`─ ${title} `, width)
  return text + '─'.repeat(Math.max(0, width - stringWidth(text)))
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** Of what is not nothing, something is seen. */
export function bar(fraction: number, width: number): string {
  const bounded = Math.min(1, Math.max(0, fraction))
  const parts = bounded === 0 ? 0 : Math.max(1, Math.round(bounded * width * 8))
  return fill('█'.repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? ''), width)
}

/** A head and a line for each row, none wider than `width`: what is widest and may be cut gives way first. */
export function inColumns<Row>(
  columns: readonly CellColumn<Row>[],
  rows: readonly Row[],
  width: number,
): { readonly head: string; readonly lines: readonly string[] } {
  const texts = rows.map((row) => columns.map((column) => column.text(row)))
  const widths = fitWidths(columns, texts, width)
  const line = (cells: readonly string[], row: Row | null) =>
    columns
      .map((column, n) => {
        const isLast = n === columns.length - 1
        const shown = cut(cells[n] ?? '', widths[n] ?? 0)
        const filled = isLast && column.align !== 'right' ? shown : fill(shown, widths[n] ?? 0, column.align)
        return row === null || column.paint === undefined ? filled : column.paint(filled, row)
      })
      .join(' '.repeat(gap))
      .trimEnd()
  return {
    head: cut(
      line(
        columns.map(({ title }) => title),
        null,
      ),
      width,
    ),
    lines: rows.map((row, n) => fitLine(line(texts[n] ?? [], row), width)),
  }
}

/** In a terminal too narrow for the ids themselves. */
function fitLine(text: string, width: number): string {
  return stringWidth(text) <= width ? text : cliTruncate(text, Math.max(1, width))
}

function fitWidths<Row>(
  columns: readonly CellColumn<Row>[],
  texts: readonly (readonly string[])[],
  total: number,
): readonly number[] {
  const measured = columns.map(({ title, isWhole }, n) => ({
    width: Math.max(
      stringWidth(title),
      ...texts.map((cells) => stringWidth((cells[n] ?? '').replace(/\s*\n\s*/g, ' '))),
    ),
    least: isWhole === true ? null : narrowest,
  }))
  return fitColumns(measured, gap, total)
}
