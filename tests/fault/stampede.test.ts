import { expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { Fleet } from './fleet.ts'
import { stampede } from './stampede.ts'

it('1,000 jobs that come due at one instant, and 16 agents started together: no more claims than free slots', () =>
  stampede({ agents: 16, jobs: 1000 }))

it('10,000 jobs that come due at one instant, and 64 agents started together: what may run runs once, and in order', () =>
  stampede({ agents: 64, jobs: 10_000 }))

it('5 agents as processes, started together on 150 jobs: each is full at most, and none runs twice', async () => {
  const fleet = await Fleet.create({
    config: '[agent]\nslots = 2\n[tasks.work]\ncommand = ["sh", "-c", "sleep 0.05"]\n',
  })
  await fleet.enqueue(
    ...Array.from({ length: 150 }, (_, n) => ({ task: 'work', user: `u${n % 30}`, delay_seconds: 2 })),
  )
  await fleet.serve()
  await Promise.all(Array.from({ length: 5 }, (_, n) => fleet.agent(`a${n}`)))
  const done = async () => {
    const [row] = await fleet.test.query<{ done: number }>(
      `select count(*)::int as done from interlock.task_history where outcome = 'completed' and attempts = 1`,
    )
    return row?.done === 150
  }
  await waitFor(done, { what: 'all to complete', timeoutMs: 20_000 })
  // From the log alone: how many each agent had at once, at the most.
  const most = await fleet.test.query<{ most: number }>(
    `select max(had)::int as most
     from (
       select sum(case event_type when 'assigned' then 1 else -1 end) over (partition by agent_id order by id) as had
       from interlock.job_queue_log where event_type in ('assigned', 'completed')
     ) as x`,
  )
  expect(most).toEqual([{ most: 2 }])
  await fleet.end()
})
