/** Times and durations as people read them. All take ISO 8601, as the wire has it. */

/** `12:03:04`, local time; with its date when that is not today's. */
export function showTime(time: string | null, now: Date = new Date()): string | null {
  if (time === null) return null
  const date = new Date(time)
  const clock = clockOf(date)
  return date.toDateString() === now.toDateString() ? clock : `${isoDay(date)} ${clock}`
}

/** `12:03:04.123`, local time: for events, whose order within a second matters. */
export function showInstant(time: string): string {
  const date = new Date(time)
  return `${clockOf(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** How long ago, as one or two units: `12s`, `4m 3s`, `2h 5m`, `3d 4h`. */
export function showSince(time: string | null, now: Date = new Date()): string | null {
  return time === null ? null : showDuration((now.getTime() - new Date(time).getTime()) / 1000)
}

export function showDuration(seconds: number): string {
  // A clock that is a little ahead of the database's makes it negative; nobody waits for less than nothing.
  const whole = Math.max(0, seconds)
  if (whole < 10) return `${whole.toFixed(1)}s`
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const
  const first = units.findIndex(([, size]) => whole >= size)
  const parts: string[] = []
  let rest = Math.floor(whole)
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count}${unit}`)
  }
  return parts.join(' ')
}

function clockOf(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

function isoDay(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-')
}
