import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Connection } from '../../src/store/connection.ts'
import { createTestDatabase } from '../support/test-database.ts'

interface Claimed {
  readonly job_id: string
}

const slots = 2
const users = 500
const models = 50

/**
 * That many jobs come due at one instant, and that many agents are started together, each with a session of its own, all
 * claiming as fast as they are answered. Nobody ends a job before everybody has been told that there is nothing more.
 */
export async function stampede(size: { readonly agents: number; readonly jobs: number }): Promise<void> {
  const test = await createTestDatabase({ poolSize: 4 })
  const dueAt = new Date(Date.now() + 1000).toISOString()
  for (let from = 1; from <= size.jobs; from += 1000) {
    await test.query(
      `select count(*) from interlock.enqueue_jobs((
         select jsonb_agg(jsonb_build_object('task', 'work', 'id', format('j%s', n), 'user', format('u%s', n % $3::int),
           'models', jsonb_build_array(format('m%s', n % $4::int)), 'run_at', $5::text))
         from generate_series($1::int, $2::int) as n))`,
      [from, Math.min(size.jobs, from + 999), users, models, dueAt],
    )
  }
  const sessions = await Promise.all(Array.from({ length: size.agents }, () => test.database.connect()))
  const agents = await Promise.all(sessions.map(register))
  // Nothing stays free that somebody could use: each model runs one job.
  const startable = Math.min(size.agents * slots, models)
  const deadline = performance.now() + 20_000
  let started = 0
  const promoting = promote()
  await test.query('select pg_sleep_until($1::timestamptz)', [dueAt])
  const claimed = await Promise.all(sessions.map((session, n) => claimUntilFull(session, agents[n] ?? '')))
  await promoting

  // Nobody has more than he has room for, by what he was told and by the rows.
  for (const jobs of claimed) expect(jobs.length).toBeLessThanOrEqual(slots)
  const held = await test.query<{ agent_id: string; count: number }>(
    'select agent_id, count(*)::int as count from interlock.jobs where held is not null group by agent_id',
  )
  for (const { count } of held) expect(count).toBeLessThanOrEqual(slots)
  const total = claimed.reduce((sum, jobs) => sum + jobs.length, 0)
  expect(held.reduce((sum, { count }) => sum + count, 0)).toBe(total)
  expect(total).toBe(startable)
  expect(new Set(claimed.flat()).size).toBe(total)
  // Every job is exactly one of what it may be, and the auditor, asked by drop(), finds nothing.
  const [sum] = await test.query<{ all: number; odd: number }>(
    `select count(*)::int as all, count(*) filter (where status not in ('pending', 'assigned'))::int as odd from interlock.jobs`,
  )
  expect(sum).toEqual({ all: size.jobs, odd: 0 })
  await expectOrder()
  await Promise.all(sessions.map((session) => session.close()))
  await test.drop()

  async function register(session: Connection, n: number): Promise<string> {
    const [row] = await session.query<{ agent_id: string }>(
      `select agent_id from interlock.register_agent($1, '{default}', $2, p_lease_seconds => 600)`,
      [`a${n}`, slots],
    )
    return row?.agent_id ?? ''
  }

  /** As the ticks of several coordinators do, until nothing is due any more. */
  async function promote(): Promise<void> {
    for (let left = size.jobs; left > 0; ) {
      await Promise.all([1, 2].map(() => test.query('select interlock.promote_due_jobs()')))
      const [row] = await test.query<{ left: number }>(
        `select count(*)::int as left from interlock.jobs where status = 'scheduled'`,
      )
      left = row?.left ?? 0
    }
  }

  /** Comes back a moment later when it was given nothing, as an agent does: what another one looks at may be left over. */
  async function claimUntilFull(session: Connection, agent: string): Promise<readonly string[]> {
    const jobs: string[] = []
    while (jobs.length < slots && started < startable && performance.now() < deadline) {
      await session.query('select interlock.absorb_touches()')
      // It asks for more than it has room for.
      const [row] = await session.query<{ jobs: Claimed[] }>('select jobs from interlock.claim_jobs($1, null, $2)', [
        agent,
        slots + 5,
      ])
      const ids = (row?.jobs ?? []).map(({ job_id }) => job_id)
      jobs.push(...ids)
      started += ids.length
      if (ids.length === 0) await sleep(Math.random() * 50)
    }
    return jobs
  }

  /** Of one user and one model the first comes first: nobody who waits is more senior than who runs in his lane. */
  async function expectOrder(): Promise<void> {
    const overtaken = await test.query(
      `select w.id as waits, r.id as runs
       from interlock.jobs as r
       join interlock.jobs as w on w.lane_id = r.lane_id and w.status = 'pending' and (w.seniority, w.id) < (r.seniority, r.id)
       where r.status = 'assigned'
       limit 5`,
    )
    expect(overtaken).toEqual([])
  }
}
