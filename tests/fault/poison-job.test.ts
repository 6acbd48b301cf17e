import { describe, expect } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { type Fleet, testInFleet } from './fleet.ts'

// The keeper is the job's parent, the agent the keeper's.
const config = `
[agent]
slots = 4
[agents]
lease_seconds = 6
heartbeat_seconds = 2
[queues.default]
retry_delays_seconds = [2]
[tasks.poison]
command = ["sh", "-c", "kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat); sleep 60"]
[tasks.venom]
command = ["sh", "-c", "kill -9 $PPID; sleep 60"]
[tasks.work]
command = ["sh", "-c", "sleep 0.2; echo '{}'"]
`
const agents = ['one', 'two', 'three']

const it = testInFleet({ config })

async function startAll(fleet: Fleet): Promise<void> {
  await fleet.serve()
  for (const name of agents) fleet.supervise(name)
  await waitFor(async () => (await liveAgents(fleet)) === agents.length, { what: 'all agents to be registered' })
}

async function liveAgents(fleet: Fleet): Promise<number> {
  const [row] = await fleet.test.query<{ count: number }>(
    `select count(*)::int from interlock.agent_stats where state = 'active' and id <> interlock.locks_agent()`,
  )
  return row?.count ?? 0
}

async function othersFinish(fleet: Fleet): Promise<void> {
  const count = 60
  await fleet.enqueue(...Array.from({ length: count }, (_, n) => ({ task: 'work', user: `u${n}`, max_attempts: 5 })))
  const areDone = async () => {
    const [row] = await fleet.test.query<{ done: number }>(
      `select count(*)::int as done from interlock.task_history where outcome = 'completed' and task = 'work'`,
    )
    return row?.done === count
  }
  await waitFor(areDone, { what: `all ${count} others to complete`, timeoutMs: 25_000 })
}

describe('a job that kills whoever runs it', { timeout: 60_000 }, () => {
  it.for([
    // Due once: the third agent was given time to be rid of who had been lost twice beside it.
    { whom: 'agent', task: 'poison', code: 'agent_lost', counts: { assigned: 3, due: 1 } },
    { whom: 'keeper', task: 'venom', code: 'keeper_lost', counts: { started: 3 } },
  ])(
    'its $whom, each time: it is dead after its attempts, and all others finish',
    async ({ task, code, counts }, { fleet }) => {
      await startAll(fleet)
      const [job = ''] = await fleet.enqueue({
        task,
        id: task,
        user: 'mallory',
        priority: 'critical',
        queue: 'default',
      })
      await othersFinish(fleet)
      await fleet.untilStatus(job, 'failed')
      expect(await fleet.errorOf(job)).toMatchObject({ code })
      const events = await fleet.eventsOf(job)
      const times = (event: string) => events.filter((one) => one === event).length
      for (const [event, count] of Object.entries(counts)) expect([event, times(event)]).toEqual([event, count])
    },
  )
})
