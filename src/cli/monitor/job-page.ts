import wrapAnsi from 'wrap-ansi'
import { renderExplanation } from '../commands/job-explain.ts'
import { renderJob } from '../commands/job-show.ts'
import type { Painter } from '../terminal.ts'
import { cut, ruled } from './cells.ts'
import type { JobDetails } from './monitor-data.ts'
import type { Scene, ScreenSize } from './scene.ts'
import type { View } from './view.ts'

/** One job: why it waits and all about it, to be scrolled; below, what it wrote last, which stays in sight. */
export function drawJob(scene: Scene, view: View, size: ScreenSize, painter: Painter): readonly string[] {
  const title = painter.paint('bold', ruled(`Job ${view.jobId}`, size.columns))
  const details = scene.details?.job.id === view.jobId ? scene.details : null
  if (details === null) {
    const trouble = scene.detailsTrouble
    return [title, cut(trouble === null ? '  asking …' : `  ${trouble}`, size.columns)].slice(0, size.rows)
  }
  const about = wrapped(
    [renderExplanation(details.explanation), '', renderJob(details.job, painter, details.requests)].join('\n'),
    size.columns,
  )
  const output = wrappedOutput(details, size.columns, painter)
  const outputRows = output.length === 0 ? 0 : 1
  const room = Math.max(0, size.rows - 1 - outputRows)
  const outputRoom = Math.min(output.length, Math.max(Math.floor(room / 3), room - about.length))
  const aboutRoom = room - outputRoom
  const from = Math.min(view.scroll, Math.max(0, about.length - aboutRoom))
  return [
    title,
    ...about.slice(from, from + aboutRoom),
    ...(outputRows === 0 ? [] : [painter.paint('bold', ruled('Last output', size.columns))]),
    ...(outputRoom === 0 ? [] : output.slice(-outputRoom)),
  ]
}

function wrapped(text: string, columns: number): readonly string[] {
  return wrapAnsi(text, Math.max(1, columns - 1), { hard: true, trim: false }).split('\n')
}

function wrappedOutput({ output }: JobDetails, columns: number, painter: Painter): readonly string[] {
  return output.flatMap(({ stream, text }) =>
    wrapped(text, columns).map((line) => (stream === 'stdout' ? line : painter.paint('yellow', line))),
  )
}
