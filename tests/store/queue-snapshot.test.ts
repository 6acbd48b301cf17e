import { beforeAll, describe, expect, test } from 'vitest'
import type { QueueSnapshot } from '../../src/domain/queue-status.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

let db: TestDatabase

const snapshot = async (listLimit: number, countLimit = 10_000): Promise<QueueSnapshot> => {
  const [row] = await db.query<{ snapshot: QueueSnapshot }>('select interlock.queue_snapshot($1, $2) as snapshot', [
    listLimit,
    countLimit,
  ])
  if (row === undefined) throw new Error('no snapshot')
  return row.snapshot
}

const claim = async (agentId: string, limit: number): Promise<readonly { job_id: string; token: number }[]> => {
  const [row] = await db.query<{ jobs: readonly { job_id: string; token: number }[] }>(
    'select jobs from interlock.claim_jobs($1, null, $2)',
    [agentId, limit],
  )
  return row?.jobs ?? []
}

/** 400 jobs of 40 users on 15 models in all priorities; some run, some are parked, some awake, some not absorbed yet. */
beforeAll(async () => {
  db = await createTestDatabase()
  const priorities = ['critical', 'high', 'normal', 'low']
  const jobs = Array.from({ length: 400 }, (_, n) => ({
    task: n % 3 === 0 ? 'edit' : 'draw',
    user: `u${n % 40}`,
    models: n % 2 === 0 ? [`m${(n * 7) % 15}`] : [],
    priority: priorities[(n * 11) % 4],
    ...(n % 50 === 0 ? { delay_seconds: 1000 } : {}),
    ...(n % 70 === 0 ? { start: false } : {}),
  }))
  await db.query('select count(*) from interlock.enqueue_jobs($1::jsonb)', [JSON.stringify(jobs)])
  await db.query('select interlock.absorb_touches(10000)')
  const [agent] = await db.query<{ agent_id: string }>(
    `select agent_id from interlock.register_agent(p_name => 'a', p_queues => '{high,default,low}', p_slots => 30)`,
  )
  const claimed = await claim(agent?.agent_id ?? '', 12)
  expect(claimed.length).toBeGreaterThan(5)
  for (const job of claimed.slice(0, 3)) {
    await db.query(`select interlock.fail_job($1, $2, '{"message": "boom"}', 'never')`, [job.job_id, job.token])
  }
  const late = Array.from({ length: 5 }, (_, n) => ({ task: 'late', user: `late${n}`, priority: 'critical' }))
  await db.query('select count(*) from interlock.enqueue_jobs($1::jsonb)', [JSON.stringify(late)])
})

describe('queue_snapshot', () => {
  test.each([1, 7, 20, 100, 1000])('lists the first %i that wait in the order of lane and seniority', async (limit) => {
    const expected = await db.query<{ job_id: string; conflict_reason: string | null }>(
      `select w.job_id, w.conflict_reason from interlock.waiting_jobs as w
       order by greatest(w.lane_rank, w.seniority), w.seniority, w.job_id limit $1`,
      [limit],
    )
    const { queued_jobs: listed } = await snapshot(limit)
    expect(listed.map(({ job_id }) => job_id)).toEqual(expected.map(({ job_id }) => job_id))
    expect(listed.map(({ conflict_reason }) => conflict_reason)).toEqual(expected.map((row) => row.conflict_reason))
  })

  test('counts by queue and state, and pending ones by priority', async () => {
    const { counts, pending, is_estimated, oldest_queued_at } = await snapshot(10)
    const rows = await db.query<{ queue: string; status: string; count: number }>(
      'select queue, status, count(*) as count from interlock.jobs group by 1, 2',
    )
    const byName = (a: { queue: string; status: string }, b: { queue: string; status: string }) =>
      `${a.queue} ${a.status}` < `${b.queue} ${b.status}` ? -1 : 1
    expect(counts.toSorted(byName)).toEqual(rows.toSorted(byName))
    const [row] = await db.query<{ pending: object; oldest: Date }>(
      `select jsonb_object_agg(p.name, p.n) as pending, min(p.oldest) as oldest
       from (select interlock.priority_name(j.priority) as name, count(*) as n, min(j.queued_at) as oldest
             from interlock.jobs as j where j.status = 'pending' group by 1) as p`,
    )
    expect(pending).toEqual(row?.pending)
    expect(Date.parse(oldest_queued_at ?? '')).toBe(row?.oldest.getTime())
    expect(is_estimated).toBe(false)
  })

  test('beyond what it counts it estimates, and what is few it counts all the same', async () => {
    const exact = await snapshot(10)
    const total = exact.counts.reduce((sum, { count }) => sum + count, 0)
    await waitFor(
      async () => {
        const [row] = await db.query<{ live: number }>(
          `select pg_stat_get_live_tuples('interlock.jobs'::regclass) as live`,
        )
        return row?.live === total
      },
      { what: 'the statistics to be up to date' },
    )
    const estimated = await snapshot(10, 50)
    expect(estimated.is_estimated).toBe(true)
    const sum = (found: QueueSnapshot, status: string) =>
      found.counts.filter((count) => count.status === status).reduce((n, { count }) => n + count, 0)
    for (const status of ['assigned', 'failed', 'scheduled']) {
      expect(sum(exact, status)).toBeGreaterThan(0)
      expect(sum(estimated, status)).toBe(sum(exact, status))
    }
    // All blocks of so small a table are in the sample.
    expect(sum(estimated, 'pending')).toBe(sum(exact, 'pending'))
    expect(estimated.pending).toEqual(exact.pending)
    expect(estimated.oldest_queued_at).toBe(exact.oldest_queued_at)
    expect(estimated.queued_jobs).toEqual(exact.queued_jobs)
  })

  test('of an empty database has every part', async () => {
    const empty = await createTestDatabase()
    const [row] = await empty.query<{ snapshot: QueueSnapshot }>('select interlock.queue_snapshot() as snapshot')
    expect(row?.snapshot).toMatchObject({ counts: [], pending: {}, active_jobs: [], queued_jobs: [], slots_used: 0 })
    await empty.drop()
  })
})
