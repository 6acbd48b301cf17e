import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

interface Claimed {
  readonly job_id: string
  readonly token: number
}

const jobs = 2000
let test: TestDatabase
let agent: string

beforeAll(async () => {
  test = await createTestDatabase()
  await test.query(`select interlock.set_limit('user:*', null)`)
  await test.query(`select interlock.set_queue('storm', '{"retry_delays_seconds": [60, 180], "max_attempts": 3}')`)
  await test.query(
    `select interlock.set_queue('budgeted', '{"retry_delays_seconds": [60], "max_attempts": 3, "retries_per_minute": 300}')`,
  )
  const [row] = await test.query<{ agent_id: string }>(
    `select agent_id from interlock.register_agent('one', '{storm,budgeted}', 10000, p_lease_seconds => 3600)`,
  )
  agent = row?.agent_id ?? ''
})

afterAll(async () => {
  await test.drop()
})

/** All of them at once: what was behind them is dead, and each finds out as soon as it runs. */
async function failAll(queue: string, count: number): Promise<void> {
  await test.query(
    `select count(*) from interlock.enqueue_jobs((
       select jsonb_agg(jsonb_build_object('task', 'call', 'queue', $1::text, 'id', format('%s-%s', $1::text, n)))
       from generate_series(1, $2::int) as n))`,
    [queue, count],
  )
  const held: Claimed[] = []
  while (held.length < count) {
    await test.query('select interlock.absorb_touches()')
    const [row] = await test.query<{ jobs: Claimed[] }>('select jobs from interlock.claim_jobs($1, null, 500)', [agent])
    held.push(...(row?.jobs ?? []))
  }
  const fail = async ({ job_id, token }: Claimed) =>
    test.query('select interlock.fail_job($1, $2, $3)', [job_id, token, { message: 'the downstream is dead' }])
  await Promise.all(held.map(fail))
}

/** How many come due in each whole second after the first failure, and how long each waits. */
async function whenDue(queue: string): Promise<{ perSecond: Map<number, number>; waits: number[] }> {
  const rows = await test.query<{ due: number; wait: number }>(
    `select extract(epoch from j.run_at - min(e.created_at) over ())::float8 as due,
            extract(epoch from j.run_at - e.created_at)::float8 as wait
     from interlock.jobs as j
     join interlock.job_queue_log as e on e.job_id = j.id and e.event_type = 'retried'
     where j.queue = $1`,
    [queue],
  )
  const perSecond = new Map<number, number>()
  for (const { due } of rows) perSecond.set(Math.floor(due), (perSecond.get(Math.floor(due)) ?? 0) + 1)
  return { perSecond, waits: rows.map(({ wait }) => wait) }
}

describe('thousands of jobs that fail at once because what is behind them is dead', () => {
  it('come back spread over as long as their wait: no second has more than twice its share', async () => {
    await failAll('storm', jobs)
    const { perSecond, waits } = await whenDue('storm')
    expect(waits).toHaveLength(jobs)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(30)
    expect(Math.max(...waits)).toBeLessThanOrEqual(90)
    // The waits that were named are what is waited on average.
    expect(waits.reduce((sum, wait) => sum + wait, 0) / jobs).toBeGreaterThan(57)
    expect(waits.reduce((sum, wait) => sum + wait, 0) / jobs).toBeLessThan(63)
    const share = jobs / 60
    expect(Math.max(...perSecond.values())).toBeLessThan(2 * share)
  })

  it('come back at the pace of the queue’s budget where it has one, however many they are', async () => {
    await failAll('budgeted', jobs)
    const { perSecond } = await whenDue('budgeted')
    // 5 a second: all of them take 400 s, and no ten seconds have more than twice the budget.
    const lastDue = Math.max(...perSecond.keys())
    expect(lastDue).toBeGreaterThan(jobs / 5 - 1)
    expect(lastDue).toBeLessThan(jobs / 5 + 100)
    for (let second = 0; second <= lastDue; second += 10) {
      const inTen = Array.from({ length: 10 }, (_, n) => perSecond.get(second + n) ?? 0)
      expect(inTen.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(100)
    }
  })

  it('is counted by the budget too when a job asks to be tried again at once', async () => {
    await test.query(`select interlock.set_queue('budgeted', '{"retries_per_minute": 1}')`)
    await test.query(
      `select count(*) from interlock.enqueue_jobs('[{"task": "call", "queue": "budgeted", "id": "again"}]')`,
    )
    await test.query('select interlock.absorb_touches()')
    const [row] = await test.query<{ jobs: Claimed[] }>('select jobs from interlock.claim_jobs($1, null, 1)', [agent])
    const [{ job_id = '', token = 0 } = {}] = row?.jobs ?? []
    const [answer] = await test.query<{ status: string }>(
      `select status from interlock.fail_job($1, $2, '{}', 'now')`,
      [job_id, token],
    )
    expect(answer).toEqual({ status: 'scheduled' })
  })
})
