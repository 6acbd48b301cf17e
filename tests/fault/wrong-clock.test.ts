import { expect } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { type Coordinator, type Fleet, testInFleet } from './fleet.ts'

const shift = new URL('../fixtures/fault/wrong-clock.ts', import.meta.url).href
const config = `
[agents]
lease_seconds = 6
heartbeat_seconds = 2
[queues.default]
retry_delays_seconds = [600]
[tasks.long]
command = ["sh", "-c", "sleep 8; echo '{}'"]
[tasks.brief]
command = ["sh", "-c", "exit 0"]
[tasks.fails]
command = ["sh", "-c", "exit 1"]
`

const it = testInFleet({ config })

const off = (hours: number) => ({ NODE_OPTIONS: `--import=${shift}?hours=${hours}` })

it.for([
  { agentHours: 1, coordinatorHours: 0 },
  { agentHours: -1, coordinatorHours: 1 },
])(
  'an agent $agentHours h off and a coordinator $coordinatorHours h off decide by the database’s clock: nothing expires, starts, retries or is given up early or late',
  async ({ agentHours, coordinatorHours }, { fleet }) => {
    const coordinators = [await fleet.serve({ environment: off(coordinatorHours) }), await fleet.serve()]
    await fleet.agent('off', off(agentHours))
    // The program itself believes in another time: its log says so.
    expect(await believedHours(coordinators)).toEqual([coordinatorHours, 0])
    const [long = '', brief = '', fails = ''] = await fleet.enqueue(
      { task: 'long', user: 'a', timeout_seconds: 60 },
      { task: 'brief', user: 'b', ttl_seconds: 1200 },
      { task: 'fails', user: 'c', max_attempts: 2 },
    )
    const [soon = '', later = '', patient = ''] = await fleet.enqueue(
      { task: 'brief', user: 'd', delay_seconds: 2 },
      { task: 'brief', user: 'e', delay_seconds: 1800 },
      // Waits for nobody: no agent takes from there. Its time to live is half an hour.
      { task: 'brief', user: 'f', queue: 'low', permission_level: 'supervised', ttl_seconds: 1800 },
    )
    const [held] = await fleet.test.query<{ status: string }>(
      `select status from interlock.acquire_lock('{model:flux}', 'ann', 1800, 10)`,
    )
    expect(held).toBeDefined()
    await fleet.untilStatus(brief, 'completed')
    await fleet.untilStatus(soon, 'completed')
    await fleet.untilStatus(long, 'completed')
    expect(await fleet.eventsOf(long)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect([await fleet.statusOf(later), await fleet.statusOf(patient), await fleet.statusOf(fails)]).toEqual([
      'scheduled',
      'pending',
      'scheduled',
    ])
    const [soonWait] = await fleet.test.query<{ seconds: number }>(
      `select extract(epoch from assigned_at - created_at)::float8 as seconds from interlock.task_history where job_id = $1`,
      [soon],
    )
    expect(soonWait?.seconds).toBeGreaterThanOrEqual(2)
    expect(soonWait?.seconds).toBeLessThan(6)
    expect(await oddEvents(fleet)).toEqual([])
    for (const { url } of coordinators) expect((await fetch(`${url}/readyz`)).status).toBe(200)
    // Every time that anybody wrote is the database's.
    const [stray] = await fleet.test.query<{ count: number }>(
      `select count(*)::int from interlock.job_queue_log where abs(extract(epoch from created_at - now())) > 600`,
    )
    expect(stray).toEqual({ count: 0 })
  },
)

async function oddEvents(fleet: Fleet): Promise<readonly string[]> {
  const rows = await fleet.test.query<{ event_type: string }>(
    `select event_type from interlock.job_queue_log where event_type in ('lost', 'expired', 'agent_gone', 'returned', 'lock_ended', 'swept')`,
  )
  return rows.map(({ event_type }) => event_type)
}

/** By the times in the lines of their logs. */
async function believedHours(coordinators: readonly Coordinator[]): Promise<readonly number[]> {
  return Promise.all(
    coordinators.map(async ({ cli, url }) => {
      await fetch(`${url}/jobs`)
      const time = await waitFor(() => /"time":"([^"]+)"/.exec(cli.stderr())?.[1], { what: 'a line of its log' })
      return Math.round((Date.parse(time) - Date.now()) / 3_600_000) || 0
    }),
  )
}
