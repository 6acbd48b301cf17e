import Table from 'cli-table3'
import { fitColumns } from './column-widths.ts'
import type { Painter, Terminal } from './terminal.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** What happens when the line is too narrow: `keep` whole (ids), `cut` with an ellipsis, `wrap` into lines. */
  readonly narrow?: 'keep' | 'cut' | 'wrap'
}

const gap = 2
const narrowest = { cut: 8, wrap: 20 } as const

/**
 * A table for people: no lines, a bold header, never wider than the terminal. Widths are ours to choose, for the
 * library cuts whatever column comes last; here the widest one that may be cut gives way first, and ids stay whole.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): string {
  const widths = fitWidths(columns, rows, terminal.width)
  const table = new Table({
    head: columns.map((column) => terminal.paint('bold', column.title)),
    colWidths: widths.map((width) => width + gap),
    colAligns: columns.map((column) => column.align ?? 'left'),
    wordWrap: true,
    wrapOnWordBoundary: true,
    chars: borderless,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': gap },
  })
  for (const row of rows) {
    table.push(columns.map((column, index) => fitCell(row[index] ?? '', widths[index] ?? 0, column)))
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Two columns, a name and what is said of it, for one thing shown in detail. */
export function renderDetails(entries: readonly (readonly [string, string | null])[], terminal: Painter): string {
  const shown = entries.filter((entry): entry is readonly [string, string] => entry[1] !== null && entry[1] !== '')
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown
    .map(([name, value]) => {
      const [first = '', ...more] = value.split('\n')
      const indent = ' '.repeat(width + gap)
      return [`${terminal.paint('dim', name.padEnd(width + gap))}${first}`, ...more.map((line) => indent + line)].join(
        '\n',
      )
    })
    .join('\n')
}

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}

function fitWidths(columns: readonly Column[], rows: readonly (readonly string[])[], total: number): readonly number[] {
  const measured = columns.map(({ title, narrow = 'cut' }, index) => ({
    width: Math.max(visibleLength(title), ...rows.map((row) => visibleLength(row[index] ?? ''))),
    least: narrow === 'keep' ? null : narrowest[narrow],
  }))
  return fitColumns(measured, gap, total)
}

function fitCell(text: string, width: number, column: Column): string {
  if (column.narrow === 'wrap' || visibleLength(text) <= width) return text
  return `${text.slice(0, Math.max(0, width - 1))}…`
}

/** Colour codes take no room. */
function visibleLength(text: string): number {
  return text.replace(ansi, '').length
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const ansi = /\u001b\[[0-9;]*m/g
