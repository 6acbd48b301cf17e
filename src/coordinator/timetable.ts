import { Cron } from 'croner'
import { ContractError } from '../domain/contract.ts'
import type { Timetable } from '../store/schedules.ts'

/**
 * When the clock of a time zone strikes, which SQL cannot tell. An hour that it leaves out in spring counts as its end:
 * half past two comes at three. One that it repeats in autumn counts once for who names the hour, and twice for who runs
 * in all of them.
 */

/** The next times after one, at most so many; fewer where there are no more (the 31st of February). */
export function nextTimes(timetable: Timetable, after: Date, count: number): readonly Date[] {
  return parse(timetable).nextRuns(count, after)
}

/**
 * The latest times from one to another, both included, rising; at most so many. Looked for backwards: forwards, a year of
 * minutes would be walked for one that is wanted (0.12 ms a step).
 */
export function latestTimes(
  timetable: Timetable,
  { from, until }: { readonly from: Date; readonly until: Date },
  count: number,
): readonly Date[] {
  const cron = parse(timetable)
  const times: Date[] = []
  // One by one: a hundred times of a monthly schedule would be looked for through a hundred months.
  for (let before = new Date(until.getTime() + 1); times.length < count; ) {
    const [time] = cron.previousRuns(1, before)
    if (time === undefined || time < from) break
    times.push(time)
    before = time
  }
  return times.toReversed()
}

/** Throws a ContractError that names `cron` where it means nothing, or no time that ever comes. */
export function checkTimetable(timetable: Timetable, now: Date): void {
  if (nextTimes(timetable, now, 1).length > 0) return
  throw new ContractError([{ field: 'cron', message: `has no time that ever comes: ${timetable.cron}` }])
}

function parse({ cron, timeZone }: Timetable): Cron {
  try {
    return new Cron(cron, { timezone: timeZone, mode: '5-part', paused: true })
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Cron\w+: /, '') : String(error)
    throw new ContractError([{ field: 'cron', message: `cannot be read: ${reason}` }])
  }
}
