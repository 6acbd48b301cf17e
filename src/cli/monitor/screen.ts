import type { Recommendation } from '../../domain/recommendation.ts'
import { phraseOf } from '../commands/agents-allocate.ts'
import { renderSummary } from '../queue-report.ts'
import type { Painter } from '../terminal.ts'
import { showDuration, showTime } from '../times.ts'
import { paintLevel } from './alarm-colours.ts'
import { atBothEnds, cut, fill, ruled } from './cells.ts'
import { drawHelp } from './help-page.ts'
import { drawJob } from './job-page.ts'
import type { MonitorData } from './monitor-data.ts'
import type { Scene, ScreenSize } from './scene.ts'
import { allSections, type Section } from './sections.ts'
import { type Question, rowsOf, selectionIn, type View } from './view.ts'

const alarmsMax = 3

/** The whole screen: at most so many lines, none wider than so many places. The same in, the same out. */
export function drawScreen(scene: Scene, view: View, size: ScreenSize, painter: Painter): readonly string[] {
  const top = drawTop(scene, size, painter)
  const bottom = cut(drawBottom(scene, view, painter), size.columns)
  const room = { ...size, rows: Math.max(0, size.rows - top.length - 1) }
  const lines = [...top, ...drawPage(scene, view, room, painter)].slice(0, Math.max(0, size.rows - 1))
  const isEndless = size.rows === Number.POSITIVE_INFINITY
  const empty = isEndless ? 0 : Math.max(0, size.rows - lines.length - 1)
  return [...lines, ...Array<string>(empty).fill(''), ...(isEndless ? [] : [bottom])]
}

function drawPage(scene: Scene, view: View, size: ScreenSize, painter: Painter): readonly string[] {
  if (view.page === 'help') return drawHelp(scene, view, size)
  if (view.page === 'job') return drawJob(scene, view, size, painter)
  const { data } = scene
  if (data === null) return []
  const rows = rowsOf(data, view.filter)
  const sections = allSections({ data, rows, filter: view.filter, width: size.columns - markWidth, painter })
  const isEndless = size.rows === Number.POSITIVE_INFINITY
  const selected = isEndless ? undefined : rows.keys[selectionIn(view, rows)]
  const heights = share(
    size.rows,
    sections.map((section) => heightOf(section)),
  )
  return sections.flatMap((section, n) => drawSection(section, heights[n] ?? 0, { selected, size, painter }))
}

/** From how many seconds without an answer the figures are called old: two looks were missed. */
function isSilent({ silentSeconds, refreshSeconds }: Scene): boolean {
  return silentSeconds > 2 * refreshSeconds + 1
}

function drawTop(scene: Scene, { columns }: ScreenSize, painter: Painter): readonly string[] {
  const { data, trouble } = scene
  const silence = `no answer for ${showDuration(Math.round(scene.silentSeconds))}`
  const isOld = trouble !== null || isSilent(scene)
  const at = data === null ? '' : `${showTime(data.status.taken_at, new Date(data.status.taken_at))} · `
  const clock = `${at}${isOld ? silence : `every ${scene.refreshSeconds} s`}`
  const title = atBothEnds(`interlock monitor · ${scene.place}`, clock, columns)
  const lines = [painter.paint(isOld ? 'red' : 'bold', title)]
  if (trouble !== null) lines.push(painter.paint('red', cut(`${trouble}; trying again`, columns)))
  else if (data === null) lines.push(cut(`asking ${scene.place} …`, columns))
  if (data !== null) lines.push(...drawFigures(data, columns, painter))
  return lines
}

function drawFigures(
  { status, allocation, alarms }: MonitorData,
  columns: number,
  painter: Painter,
): readonly string[] {
  const { level, is_detected: isDetected, reasons } = status.backpressure
  const { counts_by_status: counts } = status
  const others = (['scheduled', 'deferred', 'paused'] as const).flatMap((state) => {
    const count = counts[state] ?? 0
    return count === 0 ? [] : [`${count} ${state}`]
  })
  const failed = counts.failed ?? 0
  const figures = [renderSummary(status), ...others].join(' · ')
  const dead = failed === 0 ? '' : ` · ${failed} failed`
  const pressure = `pressure ${isDetected ? level : 'low'}`
  const isRoomy = pressure.length + figures.length + dead.length + 2 <= columns
  const first = isRoomy
    ? `${paintLevel(isDetected ? level : 'low', pressure, painter)}  ${figures}${painter.paint('red', dead)}`
    : paintLevel(isDetected ? level : 'low', cut(`${pressure}  ${figures}${dead}`, columns), painter)
  const { recommendation } = allocation
  const why = recommendation.reasons.filter((reason) => !reasons.includes(reason))
  return [
    first,
    ...drawAlarms(alarms, columns, painter),
    ...reasons.map((reason) => paintLevel(level, cut(`  ${reason}`, columns), painter)),
    paintRecommendation(recommendation, cut(adviceOf(recommendation, why), columns), painter),
  ]
}

/** The latest few: a screen of alarms would show nothing of what they are about. */
function drawAlarms(alarms: MonitorData['alarms'], columns: number, painter: Painter): readonly string[] {
  const shown = alarms.slice(0, alarmsMax).map(({ message }) => painter.paint('red', cut(`! ${message}`, columns)))
  const left = alarms.length - shown.length
  return left === 0
    ? shown
    : [...shown, painter.paint('red', cut(`! and ${left} more: interlock alarms list`, columns))]
}

function adviceOf(recommendation: Recommendation, why: readonly string[]): string {
  const drain = recommendation.drain.length === 0 ? [] : [`drain ${recommendation.drain.join(', ')}`]
  const more = [...drain, ...why].join('; ')
  return more === '' ? phraseOf(recommendation) : `${phraseOf(recommendation)}: ${more}`
}

function paintRecommendation({ action }: Recommendation, text: string, painter: Painter): string {
  return action === 'keep' ? text : painter.paint(action === 'scale_out' ? 'yellow' : 'cyan', text)
}

function drawBottom({ notice, data }: Scene, view: View, painter: Painter): string {
  const { question } = view
  if (question !== null) {
    return painter.paint('inverse', ` ${questionText(question)} `)
  }
  if (view.isTyping) return `filter: ${view.filter}█   Enter keeps it, Esc clears it`
  if (notice !== null) return painter.paint(notice.isBad ? 'red' : 'green', notice.text)
  if (view.page === 'help') return 'any key goes back · q leaves'
  if (view.page === 'job') return '↑↓ scroll · Esc back · c cancel · p pause its queue · ? help · q leave'
  const filter = view.filter === '' ? '/ filter' : `/ filter "${view.filter}" (Esc clears)`
  return data === null
    ? '? help · q leave'
    : `↑↓ choose · Enter open · ${filter} · c cancel · p pause · ? help · q leave`
}

function questionText(question: Question): string {
  if (question.about !== 'cancel') {
    const end = question.about === 'pause' ? '? What runs goes on. y/n' : '? y/n'
    return `${question.about === 'pause' ? 'Pause' : 'Resume'} queue ${question.queue}${end}`
  }
  const job = question.what === '' ? question.jobId : `${question.jobId} (${question.what})`
  return question.isLast ? `Really cancel ${job}? y once more does it` : `Cancel ${job}? y/n`
}

const markWidth = 2

function heightOf({ rows, head }: Section): number {
  return rows.length === 0 ? 2 : 1 + rows.length + (head === null ? 0 : 1)
}

/** Lines for each, as many as it wants, else in fair shares: what one does not need the others have. */
function share(room: number, wanted: readonly number[]): readonly number[] {
  if (room === Number.POSITIVE_INFINITY) return wanted
  const given = wanted.map(() => 0)
  for (let left = room; left > 0; left -= 1) {
    const poorest = given.reduce<number | null>((best, height, n) => {
      if (height >= (wanted[n] ?? 0)) return best
      return best === null || height < (given[best] ?? 0) ? n : best
    }, null)
    if (poorest === null) break
    given[poorest] = (given[poorest] ?? 0) + 1
  }
  return given
}

interface SectionPlace {
  readonly selected: string | undefined
  readonly size: ScreenSize
  readonly painter: Painter
}

function drawSection(section: Section, height: number, { selected, size, painter }: SectionPlace): readonly string[] {
  const { columns } = size
  if (height === 0) return []
  const { rows } = section
  if (rows.length === 0) {
    const title = painter.paint('bold', ruled(section.title, columns))
    return [title, painter.paint('dim', cut(`  ${section.whenEmpty}`, columns))].slice(0, height)
  }
  const head = section.head === null || height < 3 ? [] : [painter.paint('dim', cut(`  ${section.head}`, columns))]
  const room = Math.max(0, height - 1 - head.length)
  const chosen = rows.findIndex(({ key }) => key !== null && key === selected)
  const from = windowFrom(rows.length, room, chosen)
  const shown = rows.slice(from, from + room)
  const note = shown.length < rows.length && shown.length > 0 ? ` · ${from + 1} to ${from + shown.length}` : ''
  return [
    painter.paint('bold', ruled(`${section.title}${note}`, columns)),
    ...head,
    ...shown.map(({ key, line }) =>
      key !== null && key === selected ? painter.paint('inverse', fill(`> ${line}`, columns)) : `  ${line}`.trimEnd(),
    ),
  ]
}

/** The chosen row is in the middle of its section's window, as far as there are rows on both sides. */
function windowFrom(count: number, room: number, chosen: number): number {
  if (chosen < 0) return 0
  return Math.min(Math.max(0, chosen - Math.floor(room / 2)), Math.max(0, count - room))
}
