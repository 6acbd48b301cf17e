import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { type Coordinator, Fleet } from './fleet.ts'

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

let fleet: Fleet
let coordinator: Coordinator
let stopping: AbortController
let supervised: Promise<unknown>

beforeEach(async () => {
  fleet = await Fleet.create({ config })
  stopping = new AbortController()
  coordinator = await fleet.serve()
  supervised = Promise.all(agents.map((name) => fleet.supervise(name, stopping.signal)))
  await waitFor(async () => (await liveAgents()) === agents.length, { what: 'all agents to be registered' })
})

afterEach(async () => {
  stopping.abort()
  await supervised
  await fleet.end(coordinator)
})

async function liveAgents(): Promise<number> {
  const [row] = await fleet.test.query<{ count: number }>(
    `select count(*)::int from interlock.agent_stats where state = 'active' and id <> interlock.locks_agent()`,
  )
  return row?.count ?? 0
}

async function othersFinish(): Promise<void> {
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
  it('its agent, each time: it is dead after its attempts, and all others finish', async () => {
    const [poison = ''] = await fleet.enqueue({
      task: 'poison',
      id: 'poison',
      user: 'mallory',
      priority: 'critical',
      queue: 'default',
    })
    await othersFinish()
    await fleet.untilStatus(poison, 'failed')
    expect(await fleet.errorOf(poison)).toMatchObject({ code: 'agent_lost' })
    expect((await fleet.eventsOf(poison)).filter((event) => event === 'assigned')).toHaveLength(3)
    // The third agent was given time to be rid of who had been lost twice beside it.
    expect((await fleet.eventsOf(poison)).filter((event) => event === 'due')).toHaveLength(1)
  })

  it('its keeper, each time: it is dead after its attempts, and all others finish', async () => {
    const [venom = ''] = await fleet.enqueue({
      task: 'venom',
      id: 'venom',
      user: 'mallory',
      priority: 'critical',
      queue: 'default',
    })
    await othersFinish()
    await fleet.untilStatus(venom, 'failed')
    expect(await fleet.errorOf(venom)).toMatchObject({ code: 'keeper_lost' })
    expect((await fleet.eventsOf(venom)).filter((event) => event === 'started')).toHaveLength(3)
  })
})
