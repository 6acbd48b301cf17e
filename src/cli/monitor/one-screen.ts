import type { MonitorData } from './monitor-data.ts'
import { printable } from './printable.ts'
import { drawScreen } from './screen.ts'
import { firstView } from './view.ts'

export interface OneScreenOptions {
  readonly place: string
  readonly refreshSeconds: number
  readonly columns: number
}

/** One screen as plain text, as long as it takes: for a pipe, a file, a mail of cron. */
export function renderOnce(data: MonitorData, { place, refreshSeconds, columns }: OneScreenOptions): string {
  const scene = {
    place,
    refreshSeconds,
    data: printable(data),
    details: null,
    detailsTrouble: null,
    trouble: null,
    silentSeconds: 0,
    notice: null,
  }
  const size = { columns, rows: Number.POSITIVE_INFINITY }
  return drawScreen(scene, firstView, size, { paint: (_style, text) => text })
    .map((line) => line.trimEnd())
    .join('\n')
}
