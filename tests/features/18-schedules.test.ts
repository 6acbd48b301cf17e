import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { createCoordinator } from '../../src/worker/worker.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import type { HttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

describe('feature 18: cron schedules and later start', () => {
  let world: EngineWorld
  let doors: Doors
  let door: HttpDoor
  let fleet: readonly ReturnType<typeof createCoordinator>[]

  beforeAll(async () => {
    world = await EngineWorld.create()
    doors = await openDoors(world.test)
    door = doors.http
    // Two coordinators, as anybody may run who wants one to take over from the other.
    fleet = [1, 2].map(() =>
      createCoordinator({ database: world.test.database, logger: createSilentLogger(), tickIntervalMs: 50 }),
    )
    for (const coordinator of fleet) await coordinator.start()
  })
  afterAll(async () => {
    for (const coordinator of fleet) await coordinator.stop()
    await doors.close()
  })

  const jobsOf = (name: string) =>
    world.query<{ id: string; status: string }>(
      `select id, status from interlock.jobs where starts_with(id, $1 || ':') order by id`,
      [name],
    )
  const put = (name: string, body: unknown) =>
    door.send('PUT', `/schedules/${name}`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  test('a job comes by the clock of its time zone, once for each slot, and its next five times are shown', async () => {
    const made = await put('hourly', {
      cron: '0 * * * *',
      time_zone: 'Asia/Kolkata',
      missed: 'all',
      job: { task: 'report', user: 'alice' },
    })
    // Kolkata is half an hour off: its full hours are our half ones.
    expect(made.json.next_times.map((time: string) => time.slice(13))).toEqual(Array(5).fill(':30:00.000Z'))
    const isPlanned = async () =>
      (await world.query(`select from interlock.schedules where name = 'hourly' and isfinite(next_at)`)).length === 1
    await waitFor(isPlanned, { what: 'a coordinator to compute the next slot' })

    // A downtime of three hours, by the clock of the database.
    await world.test.advanceClock(3 * 3600)
    const jobs = await waitFor(
      async () => {
        const found = await jobsOf('hourly')
        return found.length === 3 && found
      },
      { what: 'a job for each of the three slots' },
    )
    expect(jobs.map(({ id }) => id)).toEqual(
      made.json.next_times.slice(0, 3).map((time: string) => `hourly:${time.slice(0, 16)}Z`),
    )
    const shown = await door.get('/schedules/hourly')
    expect(shown.json).toMatchObject({ last_job_id: jobs[2]?.id, last_at: made.json.next_times[2], last_problem: null })

    const listed = await doors.interlockOnDatabase('schedule', 'list', '--json')
    const [hourly] = JSON.parse(listed.stdout)
    expect(hourly).toMatchObject({ name: 'hourly', next_at: made.json.next_times[3] })
    expect(hourly.next_times).toHaveLength(5)
    const told = await doors.interlockOnDatabase('job', 'timeline', jobs[0]?.id ?? '')
    expect(told.stdout).toContain('schedule:')
  })

  test('run_at and delay_seconds start a job later, and no sooner', async () => {
    const now = await world.query<{ now: Date }>('select interlock.clock() as now')
    const runAt = new Date((now[0]?.now.getTime() ?? 0) + 3600_000).toISOString()
    const at = await door.post('/jobs', { task: 'work', id: 'at', run_at: runAt })
    expect(at.json).toMatchObject({ status: 'scheduled', run_at: runAt })
    const delayed = await doors.interlockOnDatabase(
      'queue',
      'add',
      'work',
      '--id',
      'delayed',
      '--delay',
      '3600',
      '--json',
    )
    expect(JSON.parse(delayed.stdout)).toMatchObject({ status: 'scheduled' })
    await world.enqueue({ id: 'sooner', delay_seconds: 1700 })
    await world.test.advanceClock(1800)
    // Whoever made this one due has looked at the others, too.
    await waitFor(async () => (await world.status('sooner')) === 'pending', { what: 'the sooner one to be due' })
    expect([await world.status('at'), await world.status('delayed')]).toEqual(['scheduled', 'scheduled'])
    await world.test.advanceClock(1801)
    for (const id of ['at', 'delayed']) {
      await waitFor(async () => (await world.status(id)) === 'pending', { what: `${id} to be due` })
    }
    expect(await world.timeline('at')).toEqual(['enqueued', 'due'])
  })
})
