import { beforeEach, describe, expect, test } from 'vitest'
import { Scheduler } from '../../src/coordinator/scheduler.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Connection } from '../../src/store/connection.ts'
import { dueSchedules } from '../../src/store/schedules.ts'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

const hour = 3600

let world: EngineWorld
let scheduler: Scheduler
beforeEach(async () => {
  world = await EngineWorld.create()
  scheduler = new Scheduler(world.test.database, createSilentLogger())
  // Ten minutes past, so that an hour later is one slot of every hour later.
  const [row] = await world.query<{ seconds: number }>(
    `select extract(epoch from date_trunc('hour', interlock.clock()) + interval '70 minutes' - interlock.clock())::float8 as seconds`,
  )
  await world.test.advanceClock(row?.seconds ?? 0)
})

interface Row {
  readonly is_paused: boolean
  readonly next_at: Date | number
  readonly last_at: Date | null
  readonly last_job_id: string | null
  readonly last_problem: string | null
  readonly revision: number
  readonly now: Date
}

const set = async (name: string, settings: Record<string, unknown> = {}) => {
  const [row] = await world.query<{ outcome: string; revision: number }>(
    `select outcome, revision from interlock.set_schedule($1, $2, 'ann')`,
    [name, JSON.stringify({ cron: '@hourly', job: { task: 'report', user: 'alice' }, ...settings })],
  )
  return row
}
const read = async (name: string): Promise<Row> => {
  const [row] = await world.query<Row>(
    'select s.*, interlock.clock() as now from interlock.schedules as s where name = $1',
    [name],
  )
  if (row === undefined) throw new Error(`no schedule ${name}`)
  return row
}
const jobIds = async (): Promise<readonly string[]> => {
  const rows = await world.query<{ id: string }>('select id from interlock.jobs order by id')
  return rows.map(({ id }) => id)
}
/** The slots of the last hours, latest first, as they are in the names of jobs. */
const slots = async (): Promise<readonly string[]> => {
  const rows = await world.query<{ slot: string }>(
    `select to_char(date_trunc('hour', interlock.clock()) - n * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI"Z"') as slot
     from generate_series(0, 5) as n order by n`,
  )
  return rows.map(({ slot }) => slot)
}

describe('a schedule', () => {
  test('enqueues nothing before its time, and one job at it, in the name of the slot', async () => {
    expect(await set('hourly')).toEqual({ outcome: 'created', revision: 1 })
    await scheduler.fireDue()
    expect(await jobIds()).toEqual([])
    const { next_at: nextAt, now } = await read('hourly')
    expect((nextAt as Date).getTime() - now.getTime()).toBeGreaterThan(0)
    expect((nextAt as Date).getTime() - now.getTime()).toBeLessThanOrEqual(hour * 1000)

    await world.test.advanceClock(hour)
    await scheduler.fireDue()
    await scheduler.fireDue()
    const [slot] = await slots()
    expect(await jobIds()).toEqual([`hourly:${slot}`])
    expect(await read('hourly')).toMatchObject({ last_at: nextAt, last_job_id: `hourly:${slot}`, last_problem: null })
    const [event] = await world.query('select actor, to_status from interlock.job_queue_log where job_id = $1', [
      `hourly:${slot}`,
    ])
    expect(event).toEqual({ actor: 'schedule:hourly', to_status: 'pending' })
    world.agent = await world.register('later')
    expect(await world.claimedIds()).toEqual([`hourly:${slot}`])
  })

  test.each([
    ['once', {}, 1],
    ['all', { missed: 'all' }, 4],
    ['all, at most two', { missed: 'all', missed_limit: 2 }, 2],
    ['skip', { missed: 'skip' }, 0],
  ])('after a downtime of four hours: %s', async (_name, settings, count) => {
    await set('hourly', settings)
    await scheduler.fireDue()
    await world.test.advanceClock(4 * hour)
    await scheduler.fireDue()
    await scheduler.fireDue()
    expect(await jobIds()).toEqual(
      (await slots())
        .slice(0, count)
        .map((slot) => `hourly:${slot}`)
        .toReversed(),
    )
    const missed = await world.query(
      `select details ->> 'schedule' as s from interlock.job_queue_log where event_type = 'schedule_missed'`,
    )
    expect(missed).toEqual(count === 4 ? [] : [{ s: 'hourly' }])
    // It goes on as if nothing had been.
    await world.test.advanceClock(hour)
    await scheduler.fireDue()
    // Ten minutes late: that is missed as well.
    expect(await jobIds()).toHaveLength(count === 0 ? 0 : count + 1)
  })

  test('skip takes the slot that is in time', async () => {
    await set('hourly', { missed: 'skip' })
    await scheduler.fireDue()
    const { next_at: nextAt, now } = await read('hourly')
    await world.test.advanceClock(((nextAt as Date).getTime() - now.getTime()) / 1000 + 5)
    await scheduler.fireDue()
    expect(await jobIds()).toHaveLength(1)
  })

  test('set anew with another job while slots are missed, it forgets none; with another cron it begins anew', async () => {
    await set('hourly', { missed: 'all' })
    await scheduler.fireDue()
    await world.test.advanceClock(3 * hour)
    expect(await set('hourly', { missed: 'all', job: { task: 'other' } })).toEqual({ outcome: 'changed', revision: 3 })
    expect(await set('hourly', { missed: 'all', job: { task: 'other' } })).toEqual({
      outcome: 'unchanged',
      revision: 3,
    })
    await scheduler.fireDue()
    expect(await world.query('select distinct task, count(*)::int from interlock.jobs group by task')).toEqual([
      { task: 'other', count: 3 },
    ])
    await world.test.advanceClock(3 * hour)
    await set('hourly', { missed: 'all', cron: '5 * * * *' })
    await scheduler.fireDue()
    expect(await jobIds()).toHaveLength(3)
  })

  test('paused it enqueues nothing, and resumed it makes up for nothing; by hand it runs all the same', async () => {
    await set('hourly', { missed: 'all' })
    await scheduler.fireDue()
    await world.query(`select interlock.pause_schedule('hourly')`)
    await world.test.advanceClock(3 * hour)
    await scheduler.fireDue()
    expect(await jobIds()).toEqual([])
    const [job] = await world.query<{ job_id: string; status: string }>(
      `select * from interlock.run_schedule('hourly')`,
    )
    expect(job?.status).toBe('pending')
    expect(await jobIds()).toEqual([job?.job_id])
    // Applied anew it stays paused.
    await set('hourly', { missed: 'all' })
    expect(await read('hourly')).toMatchObject({ is_paused: true, last_job_id: job?.job_id })
    await world.query(`select interlock.pause_schedule('hourly', false)`)
    await scheduler.fireDue()
    await scheduler.fireDue()
    expect(await jobIds()).toHaveLength(1)
    await world.test.advanceClock(hour)
    await scheduler.fireDue()
    expect(await jobIds()).toHaveLength(2)
  })

  test('what its queue refuses is told, and the next slot comes all the same', async () => {
    await world.query(`select interlock.set_queue('narrow', '{}')`)
    await set('hourly', { job: { task: 'report', queue: 'narrow' } })
    await scheduler.fireDue()
    await world.query(`select interlock.set_queue('narrow', '{"tasks": ["other"]}')`)
    await world.test.advanceClock(hour)
    await scheduler.fireDue()
    const [slot] = await slots()
    expect(await read('hourly')).toMatchObject({
      last_problem: `slot ${slot}: queue narrow does not know the task report`,
    })
    const [event] = await world.query(
      `select conflict_reason from interlock.job_queue_log where event_type = 'schedule_failed'`,
    )
    expect(event).toEqual({ conflict_reason: `slot ${slot}: queue narrow does not know the task report` })
    await world.query(`select interlock.set_queue('narrow', '{"tasks": null}')`)
    await world.test.advanceClock(hour)
    await scheduler.fireDue()
    expect(await read('hourly')).toMatchObject({ last_problem: null })
    expect(await jobIds()).toHaveLength(1)
  })

  test('whose cron only looks right, set by SQL, says so and never comes', async () => {
    await set('odd', { cron: '99 * * * *' })
    await set('never', { cron: '0 0 30 2 *' })
    await scheduler.fireDue()
    expect(await read('odd')).toMatchObject({ last_problem: 'cron cannot be read: Invalid value for minute: 99' })
    expect(await read('never')).toMatchObject({
      last_problem: 'the cron expression 0 0 30 2 * has no time that ever comes',
      next_at: Number.POSITIVE_INFINITY,
    })
    await world.test.advanceClock(400 * 24 * hour)
    await scheduler.fireDue()
    expect(await jobIds()).toEqual([])
  })

  test('deleted, its jobs stay', async () => {
    await set('hourly')
    await world.query(`select interlock.run_schedule('hourly')`)
    await world.query(`select interlock.delete_schedule('hourly', 'ann')`)
    expect(await world.query('select from interlock.schedules')).toEqual([])
    expect(await jobIds()).toHaveLength(1)
    expect(await world.refusal(`select interlock.run_schedule('hourly')`)).toEqual({
      code: 'schedule_not_found',
      field: 'name',
    })
  })
})

describe('set_schedule', () => {
  test.each([
    ['name', 'a b', {}, 'invalid_argument'],
    ['cron', 'a', { cron: '* * * *' }, 'invalid_argument'],
    ['cron', 'a', { cron: 5 }, 'invalid_argument'],
    ['time_zone', 'a', { time_zone: 'Europe/Atlantis' }, 'invalid_argument'],
    ['time_zone', 'a', { time_zone: null }, 'invalid_argument'],
    ['missed', 'a', { missed: 'never' }, 'invalid_argument'],
    ['missed_limit', 'a', { missed_limit: 0 }, 'invalid_argument'],
    ['is_paused', 'a', { is_paused: 'yes' }, 'invalid_argument'],
    ['zone', 'a', { zone: 'UTC' }, 'invalid_argument'],
    ['job', 'a', { job: 7 }, 'invalid_argument'],
    ['job', 'a', { job: undefined }, 'invalid_argument'],
    ['job.task', 'a', { job: {} }, 'invalid_argument'],
    ['job.id', 'a', { job: { task: 'a', id: 'mine' } }, 'invalid_argument'],
    ['job.run_at', 'a', { job: { task: 'a', run_at: '2030-01-01T00:00:00Z' } }, 'invalid_argument'],
    ['job.priority', 'a', { job: { task: 'a', priority: 'soon' } }, 'invalid_argument'],
    ['job.queue', 'a', { job: { task: 'a', queue: 'nowhere' } }, 'queue_not_found'],
  ])('refuses a wrong %s by name, and writes nothing (%#)', async (field, name, settings, code) => {
    const before = await world.query('select count(*) from interlock.job_queue_log')
    const wrong = JSON.stringify({ cron: '@hourly', job: { task: 'report' }, ...settings })
    expect(await world.refusal('select interlock.set_schedule($1, $2)', [name, wrong])).toEqual({ code, field })
    expect(await world.query('select from interlock.schedules')).toEqual([])
    expect(await world.query('select count(*) from interlock.job_queue_log')).toEqual(before)
  })
})

describe('fire_schedule', () => {
  /** Two coordinators that have both seen the same slot. */
  const twoOf = async (): Promise<readonly [Connection, Connection]> => [
    await Connection.open({ url: world.test.url, applicationName: 'tests: a coordinator' }),
    await Connection.open({ url: world.test.url, applicationName: 'tests: a coordinator' }),
  ]

  test.each(['commit', 'rollback'] as const)(
    'of two coordinators at the same slot one enqueues it, whether the first one ends by %s',
    async (end) => {
      await set('hourly', { missed: 'all' })
      await scheduler.fireDue()
      await world.test.advanceClock(hour)
      const [due] = await dueSchedules(world.test.database)
      if (due === undefined) throw new Error('nothing is due')
      const call = (connection: Connection) =>
        connection.query<{ outcome: string }>(
          'select outcome from interlock.fire_schedule($1, $2, array[$3::timestamptz], $4)',
          [due.name, due.revision, due.nextAt, new Date((due.nextAt?.getTime() ?? 0) + hour * 1000)],
        )
      const [first, second] = await twoOf()
      try {
        await first.query('begin')
        expect(await call(first)).toEqual([{ outcome: 'fired' }])
        // While the first has not committed, the second waits for nobody and takes nothing.
        expect(await call(second)).toEqual([{ outcome: 'passed' }])
        await first.query(end)
        // Afterwards it is too late, or its turn: a crash before the commit leaves the slot to whoever lives.
        expect(await call(second)).toEqual([{ outcome: end === 'commit' ? 'passed' : 'fired' }])
        expect(await call(first)).toEqual([{ outcome: 'passed' }])
      } finally {
        await first.close()
        await second.close()
      }
      expect(await jobIds()).toEqual([`hourly:${(await slots())[0]}`])
    },
  )

  test('who computed from what the schedule was before is too late', async () => {
    await set('hourly')
    await scheduler.fireDue()
    await world.test.advanceClock(hour)
    const [seen] = await dueSchedules(world.test.database)
    await set('hourly', { cron: '*/5 * * * *' })
    await scheduler.fireDue()
    const planned = await read('hourly')
    const [late] = await world.query<{ outcome: string }>(
      'select outcome from interlock.fire_schedule($1, $2, array[$3::timestamptz], $4)',
      ['hourly', seen?.revision, seen?.nextAt, 'infinity'],
    )
    expect(late).toEqual({ outcome: 'passed' })
    expect(await read('hourly')).toMatchObject({ next_at: planned.next_at, revision: planned.revision })
    expect(await jobIds()).toEqual([])
    // And not even where a slot of the new one has come meanwhile.
    await world.test.advanceClock(600)
    const [again] = await world.query<{ outcome: string }>(
      `select outcome from interlock.fire_schedule('hourly', $1, '{}', 'infinity')`,
      [seen?.revision],
    )
    expect(again).toEqual({ outcome: 'passed' })
  })

  test('a coordinator that was killed with the slot in hand leaves it to another', async () => {
    await set('hourly')
    await scheduler.fireDue()
    await world.test.advanceClock(hour)
    const [due] = await dueSchedules(world.test.database)
    const killed = await Connection.open({ url: world.test.url, applicationName: 'tests: a coordinator' })
    await killed.query('begin')
    await killed.query('select interlock.fire_schedule($1, $2, array[$3::timestamptz], $4)', [
      due?.name,
      due?.revision,
      due?.nextAt,
      'infinity',
    ])
    await scheduler.fireDue()
    expect(await jobIds()).toEqual([])
    const [pid] = await killed.query<{ pid: number }>('select pg_backend_pid() as pid')
    await world.query('select pg_terminate_backend($1)', [pid?.pid])
    await waitFor(
      async () => (await world.query('select from pg_stat_activity where pid = $1', [pid?.pid])).length === 0,
      { what: 'the session to be gone' },
    )
    await killed.close().catch(() => undefined)
    await scheduler.fireDue()
    expect(await jobIds()).toEqual([`hourly:${(await slots())[0]}`])
  })

  test('five coordinators over five slots of three schedules enqueue each slot once', async () => {
    for (let n = 0; n < 3; n++) await set(`s${n}`, { missed: 'all' })
    await scheduler.fireDue()
    const fleet = Array.from({ length: 5 }, () => new Scheduler(world.test.database, createSilentLogger()))
    for (let round = 0; round < 5; round++) {
      await world.test.advanceClock(hour)
      await Promise.all(fleet.map((one) => one.fireDue()))
    }
    const rows = await world.query<{ schedule: string; jobs: number }>(
      `select split_part(id, ':', 1) as schedule, count(*)::int as jobs from interlock.jobs group by 1 order by 1`,
    )
    expect(rows).toEqual(Array.from({ length: 3 }, (_, n) => ({ schedule: `s${n}`, jobs: 5 })))
  })

  test('refuses slots that are to come, fall, or were before', async () => {
    await set('hourly')
    const refusal = (array: string, next: string) =>
      world.refusal(`select interlock.fire_schedule('hourly', 2, ${array}::timestamptz[], ${next})`)
    await scheduler.fireDue()
    await world.test.advanceClock(hour)
    const now = 'interlock.clock()'
    const wrong = { code: 'invalid_argument', field: 'slots' }
    expect(await refusal(`array[${now} + interval '1 hour']`, `'infinity'`)).toEqual(wrong)
    expect(await refusal(`array[${now}, ${now} - interval '1 hour']`, `'infinity'`)).toEqual(wrong)
    expect(await refusal(`array[${now} - interval '3 hours']`, `'infinity'`)).toEqual(wrong)
    expect(await refusal('null', `'infinity'`)).toEqual(wrong)
    expect(await refusal(`array[${now}]`, `${now} - interval '1 second'`)).toEqual({ ...wrong, field: 'next_at' })
    expect(await jobIds()).toEqual([])
  })
})
