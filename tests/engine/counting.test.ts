import { beforeAll, describe, expect, test } from 'vitest'
import { histogramBounds } from '../../src/domain/metrics-snapshot.ts'
import type { Connection } from '../../src/store/connection.ts'
import { countEvents, readMetricsSnapshot } from '../../src/store/metrics.ts'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld

beforeAll(async () => {
  world = await EngineWorld.create()
})

const settled = async () => {
  const [row] = await world.query<{ settled: boolean }>(
    `select not exists (
       select from interlock.job_queue_log as e, interlock.event_cursor as c where e.id > c.counted_to) as settled`,
  )
  return row?.settled === true
}

/** Counts until nothing is left to count. */
const count = async (limit = 50_000) => {
  await waitFor(
    async () => {
      await countEvents(world.test.database, limit)
      return settled()
    },
    { what: 'the log to be counted' },
  )
}

const total = async (measure: string, queue = '', outcome = ''): Promise<number> => {
  const [row] = await world.query<{ total: number }>(
    `select coalesce(sum(t.total), 0)::integer as total from interlock.event_totals as t
     where t.measure = $1 and t.queue = $2 and t.outcome = $3`,
    [measure, queue, outcome],
  )
  return row?.total ?? 0
}

const write = (session: Connection, id: string) =>
  session.query(
    `select from interlock.enqueue_jobs(jsonb_build_array(jsonb_build_object('task', 'work', 'id', $1::text)))`,
    [id],
  )

describe('count_events', () => {
  test('counts each end of a job once, by queue and outcome, with how long it ran and waited', async () => {
    await world.enqueue({ id: 'a', user: 'ann' }, { id: 'b', user: 'bob', queue: 'low' }, { id: 'c' }, { id: 'd' })
    await world.test.advanceClock(10)
    for (const job of await world.claim()) {
      await world.start(job)
      await world.test.advanceClock(2)
      if (job.job_id === 'c') await world.fail(job, 'never')
      else if (job.job_id === 'd') await world.fail(job, 'auto')
      else await world.complete(job)
    }
    await world.query(`select interlock.cancel_job('d')`)
    await count()
    await count()
    expect(await total('enqueued', 'default')).toBe(3)
    expect(await total('enqueued', 'low')).toBe(1)
    expect(await total('ended', 'default', 'completed')).toBe(1)
    expect(await total('ended', 'low', 'completed')).toBe(1)
    expect(await total('ended', 'default', 'failed')).toBe(1)
    expect(await total('ended', 'default', 'cancelled')).toBe(1)
    expect(await total('retried')).toBe(1)
    expect(await total('duration', 'default', 'completed')).toBe(1)
    const waits = await world.query<{ bucket: number }>(
      `select t.bucket from interlock.event_totals as t where t.measure = 'wait' and t.queue = 'low'`,
    )
    // More than 5 s, at most 15 s.
    expect(waits).toEqual([{ bucket: 4 }])
  })

  test('misses nothing that was written early and committed late, and counts nothing twice', async () => {
    const before = await total('enqueued', 'default')
    const early = await world.test.database.connect()
    try {
      await early.query('begin')
      await write(early, 'early')
      await world.enqueue({ id: 'late-1' }, { id: 'late-2' })
      for (let call = 0; call < 5; call++) await countEvents(world.test.database, 50_000)
      // Its number is below theirs: whoever went by the highest number would have passed it over for ever.
      expect(await total('enqueued', 'default')).toBe(before)
      await early.query('commit')
    } finally {
      await early.close()
    }
    await count()
    expect(await total('enqueued', 'default')).toBe(before + 3)
  })

  test('a transaction that is rolled back holds it up, and is not counted', async () => {
    const before = await total('enqueued', 'default')
    const doomed = await world.test.database.connect()
    await doomed.query('begin')
    await write(doomed, 'doomed')
    await world.enqueue({ id: 'sane' })
    await doomed.query('rollback')
    await doomed.close()
    await count()
    expect(await total('enqueued', 'default')).toBe(before + 1)
  })

  test('of several callers one counts, and the others do not wait', async () => {
    await count()
    const before = await total('enqueued', 'default')
    await world.enqueue(...Array.from({ length: 50 }, (_, n) => ({ id: `many-${n}` })))
    const sessions = await Promise.all(Array.from({ length: 4 }, () => world.test.database.connect()))
    try {
      await waitFor(
        async () => {
          await Promise.all(sessions.map((session) => countEvents(session, 7)))
          return settled()
        },
        { what: 'four to have counted, seven numbers at a time' },
      )
    } finally {
      for (const session of sessions) await session.close()
    }
    expect(await total('enqueued', 'default')).toBe(before + 50)
  })

  test('the figures outlive the log that they were counted from', async () => {
    const before = await total('enqueued', 'default')
    // As prune_history() does, which drops whole partitions.
    await world.query('alter table interlock.job_queue_log disable trigger user')
    await world.query('truncate interlock.job_queue_log')
    await world.query('alter table interlock.job_queue_log enable trigger user')
    await count()
    expect(await total('enqueued', 'default')).toBe(before)
    expect((await readMetricsSnapshot(world.test.database)).counted_seconds_ago).toBeLessThan(60)
  })

  test('agents that were given up are counted by what was gone', async () => {
    await world.register('short', { queues: ['low'] })
    await world.query(
      `update interlock.agent_stats set lease_until = interlock.clock() - interval '1 second' where name = 'short'`,
    )
    const [lost] = await world.query<{ agent_id: string }>('select agent_id from interlock.lost_agents()')
    await world.query('select interlock.sweep_agent($1)', [lost?.agent_id])
    await count()
    expect(await total('agent_lost', '', 'lease')).toBe(1)
  })

  test('the buckets are those that the metrics name, bounds included', async () => {
    const values = histogramBounds.flatMap((bound) => [bound - 0.01, bound, bound + 0.01])
    const [row] = await world.query<{ bounds: readonly number[]; buckets: readonly number[] }>(
      `select interlock.histogram_bounds() as bounds,
        array(select interlock.histogram_bucket(v) from unnest($1::double precision[]) with ordinality as u (v, n) order by n) as buckets`,
      [values],
    )
    expect(row?.bounds).toEqual([...histogramBounds])
    expect(row?.buckets).toEqual(values.map((value) => histogramBounds.filter((bound) => bound < value).length))
  })
})

describe('what a look costs', () => {
  /** Buffers, unlike milliseconds, are the same on a noisy machine. */
  const touched = async (text: string): Promise<number> => {
    const [row] = await world.query<{
      'QUERY PLAN': readonly [{ Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }]
    }>(`explain (analyze, buffers, timing off, format json) ${text}`)
    const plan = row?.['QUERY PLAN'][0].Plan
    if (plan === undefined) throw new Error('no plan')
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
  }

  test('grows neither with what has ended nor with what waits', async () => {
    await world.query(
      `insert into interlock.task_history (job_id, outcome, task, kind, queue, priority, resources, attempts, created_at, finished_at)
       select 'old' || n, 'failed', 'work', 'normal', 'default', 2, '{}', 1, now(), now() from generate_series(1, 50000) as n`,
    )
    for (let batch = 0; batch < 20; batch++) {
      await world.enqueue(
        ...Array.from({ length: 1000 }, (_, n) => ({ queue: 'low', user: `w${(n * 7 + batch) % 300}` })),
      )
    }
    await world.absorb()
    await world.query('analyze')
    // As many as /queue/status touches: a sample of the jobs, the first of each line, and small tables.
    expect(await touched('select interlock.metrics_snapshot()')).toBeLessThan(4000)
    expect(await touched('select * from interlock.settle_alarms(0)')).toBeLessThan(4000)
    const { is_estimated: isEstimated, counts, oldest_waits: waits } = await readMetricsSnapshot(world.test.database)
    expect(isEstimated).toBe(true)
    const pending = counts.find(({ queue, status }) => queue === 'low' && status === 'pending')?.count ?? 0
    // By the server's statistics, which for a moment count twice what a session inserted before an analyze and reports after it.
    expect(pending).toBeGreaterThan(15_000)
    expect(pending).toBeLessThan(45_000)
    expect(waits.low).toBeGreaterThan(0)
  })
})
