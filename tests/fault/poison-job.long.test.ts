import { expect } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { testInFleet } from './fleet.ts'

const config = `
[agent]
slots = 4
[queues.default]
retry_delays_seconds = [5]
[tasks.poison]
command = ["sh", "-c", "kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat); sleep 60"]
[tasks.work]
command = ["sh", "-c", "sleep 0.2; echo '{}'"]
`
const count = 3000
const it = testInFleet({ config })

it('a job that kills its agent each time leaves the others 80 % of their throughput', async ({ fleet }) => {
  await fleet.serve()
  for (const name of ['one', 'two', 'three', 'four']) fleet.supervise(name)
  const done = async () => {
    const [row] = await fleet.test.query<{ done: number }>(
      `select count(*)::int as done from interlock.task_history where outcome = 'completed'`,
    )
    return row?.done ?? 0
  }
  await fleet.enqueue(...Array.from({ length: 1000 }, (_, n) => ({ task: 'work', user: `a${n}`, max_attempts: 5 })))
  await fleet.enqueue(...Array.from({ length: 1000 }, (_, n) => ({ task: 'work', user: `b${n}`, max_attempts: 5 })))
  await fleet.enqueue(...Array.from({ length: 1000 }, (_, n) => ({ task: 'work', user: `c${n}`, max_attempts: 5 })))
  await waitFor(async () => (await done()) > 300, { what: 'the agents to be at work', timeoutMs: 60_000 })
  await fleet.enqueue({ task: 'poison', id: 'poison', priority: 'critical', queue: 'default' })
  await fleet.untilStatus('poison', 'failed', 120_000)
  await waitFor(async () => (await done()) === count, { what: 'all others to complete', timeoutMs: 300_000 })
  const [rates] = await fleet.test.query<{ beside: number; without: number; seconds: number }>(
    `with poison as (
       select min(created_at) filter (where event_type = 'assigned') as began, max(created_at) as dead
       from interlock.job_queue_log where job_id = 'poison'
     ),
     ends as (select h.finished_at as at, p.began, p.dead, min(h.finished_at) over () as first from interlock.task_history as h cross join poison as p where h.outcome = 'completed'),
     last as (select at from ends order by at desc offset 50 limit 1)
     select extract(epoch from max(e.dead) - max(e.began))::float8 as seconds,
       count(*) filter (where e.at between e.began and e.dead) / extract(epoch from max(e.dead) - max(e.began))::float8 as beside,
       count(*) filter (where e.at not between e.began and e.dead)
         / extract(epoch from (select at from last) - min(e.first) - (max(e.dead) - max(e.began)))::float8 as without
     from ends as e`,
  )
  const { beside = 0, without = 0, seconds = 0 } = rates ?? {}
  console.info(
    `${beside.toFixed(1)} jobs/s for the ${seconds.toFixed(0)} s of the poison, ${without.toFixed(1)} without: ${((100 * beside) / without).toFixed(0)} %`,
  )
  // 83 % where nothing else ran; what else a machine does in these seconds moves it.
  expect(beside / without).toBeGreaterThan(0.6)
  expect(await fleet.statusOf('poison')).toBe('failed')
})
