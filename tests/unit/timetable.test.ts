import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkTimetable, latestTimes, nextTimes } from '../../src/coordinator/timetable.ts'

const berlin = (cron: string) => ({ cron, timeZone: 'Europe/Berlin' })
const next = (cron: string, after: string, count: number): readonly string[] =>
  nextTimes(berlin(cron), new Date(after), count).map((time) => time.toISOString())

describe('nextTimes', () => {
  // On 29 March 2026 the clock of Berlin goes from 2:00 to 3:00 (1:00 UTC), on 25 October from 3:00 back to 2:00.
  test('in spring the hour that is left out counts as its end, once', () => {
    expect(next('30 2 * * *', '2026-03-27T12:00:00Z', 4)).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
      '2026-03-31T00:30:00.000Z',
    ])
    expect(next('0 2,3 * * *', '2026-03-28T12:00:00Z', 3)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:00:00.000Z',
      '2026-03-30T01:00:00.000Z',
    ])
  })

  test('in autumn the hour that is repeated counts once for who names it, and twice for who runs in every one', () => {
    expect(next('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
    expect(next('30 * * * *', '2026-10-24T23:40:00Z', 3)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
      '2026-10-25T02:30:00.000Z',
    ])
  })

  test('each zone has its own day', () => {
    const daily = (timeZone: string) =>
      nextTimes({ cron: '@daily', timeZone }, new Date('2026-01-01T12:00:00Z'), 1)[0]?.toISOString()
    expect(daily('UTC')).toBe('2026-01-02T00:00:00.000Z')
    expect(daily('America/New_York')).toBe('2026-01-02T05:00:00.000Z')
    expect(daily('Asia/Kolkata')).toBe('2026-01-01T18:30:00.000Z')
  })
})

const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC')
const cron = fc.constantFrom(
  '30 2 * * *',
  '*/30 * * * *',
  '15 1,2,3 * * *',
  '*/7 1-3 * * *',
  '45 1 * * sun',
  '0 0 1 * *',
  '@hourly',
)
/** Around the days on which clocks change. */
const instant = fc
  .tuple(
    fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01'),
    fc.integer({ min: -40 * 3600_000, max: 40 * 3600_000 }),
  )
  .map(([day, ms]) => new Date(Date.parse(`${day}T00:00:00Z`) + ms))

test('latestTimes looks back at what nextTimes would have walked through', () => {
  fc.assert(
    fc.property(zone, cron, instant, fc.integer({ min: 0, max: 30 * 3600_000 }), (timeZone, text, from, ms) => {
      const until = new Date(from.getTime() + ms)
      const timetable = { cron: text, timeZone }
      const walked: Date[] = []
      for (let at = new Date(from.getTime() - 1); ; ) {
        const [time] = nextTimes(timetable, at, 1)
        if (time === undefined || time > until) break
        walked.push(time)
        at = time
      }
      expect(latestTimes(timetable, { from, until }, 1000)).toEqual(walked)
      expect(latestTimes(timetable, { from, until }, 1)).toEqual(walked.slice(-1))
    }),
    { numRuns: 100 },
  )
})

describe('checkTimetable', () => {
  test.each([
    ['61 * * * *', /minute: 61/],
    ['* * * *', /cannot be read/],
    ['* * * * * *', /cannot be read/],
    ['0 0 30 2 *', /no time that ever comes/],
    ['0 0 * foo *', /cannot be read/],
  ])('refuses %s by the name of its field', (text, message) => {
    expect(() => checkTimetable(berlin(text), new Date())).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'cron', message: expect.stringMatching(message) }),
    )
  })
})
