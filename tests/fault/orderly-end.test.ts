import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { choosePort } from '../../src/store/embedded/port.ts'
import { waitFor } from '../support/wait-for.ts'
import { type Coordinator, type Fleet, type Part, testInFleet } from './fleet.ts'

const config = `
[agent]
slots = 4
drain_seconds = 5
[queues.default]
retry_delays_seconds = [0]
[tasks.work]
command = ["sh", "-c", "sleep 0.1; echo '{}'"]
[tasks.deaf]
command = ["sh", "-c", "trap '' TERM; setsid sleep 1000 & sleep 1000"]
`
const goneMsMax = 30_000

const it = testInFleet({ config })

/** How long each took to be gone, by SIGTERM sent when told. */
async function endOf({ cli }: Pick<Part, 'cli'>): Promise<{ code: number | null; ms: number }> {
  const before = performance.now()
  cli.kill('SIGTERM')
  const { code } = await cli.ended()
  return { code, ms: performance.now() - before }
}

async function runDeaf(fleet: Fleet): Promise<{ coordinator: Coordinator; agent: Part; job: string }> {
  const coordinator = await fleet.serve()
  const agent = await fleet.agent('one')
  const [job = ''] = await fleet.enqueue({ task: 'deaf', user: 'alice' })
  await fleet.untilStatus(job, 'running')
  return { coordinator, agent, job }
}

describe('SIGTERM', () => {
  it('once ends a coordinator and an agent in order, the deaf job’s processes with it, and the job waits again', async ({
    fleet,
  }) => {
    const { coordinator, agent, job } = await runDeaf(fleet)
    const ends = await Promise.all([endOf(agent), endOf(coordinator)])
    for (const { code, ms } of ends) {
      expect(code).toBe(0)
      expect(ms).toBeLessThan(goneMsMax)
    }
    expect(fleet.processes()).toEqual([])
    expect(await fleet.eventsOf(job)).toEqual(['enqueued', 'assigned', 'started', 'returned'])
  })

  it('twice ends an agent at once; what its job had started is gone within 2 s, and the job is not lost', async ({
    fleet,
  }) => {
    const { coordinator, agent, job } = await runDeaf(fleet)
    agent.cli.kill('SIGTERM')
    await waitFor(() => agent.cli.stderr().includes('once more'), { what: 'it to say what a second one does' })
    // A second within half a second is the same press of a key.
    await sleep(700)
    const { ms } = await endOf(agent)
    expect(ms).toBeLessThan(1000)
    await waitFor(() => fleet.jobProcesses().length === 0, { what: 'the processes to be gone', timeoutMs: 2000 })
    await waitFor(async () => (await fleet.statusOf(job)) === 'pending', { what: 'the job to wait again' })
    expect((await endOf(coordinator)).code).toBe(0)
  })

  it.for([0, 80, 200, 400])('%i ms into a start ends it, whatever had come up by then', async (afterMs, { fleet }) => {
    const parts = await Promise.all([
      fleet.start(['serve', '--port', '0']),
      fleet.start(['agent', '--name', `early-${afterMs}`]),
    ])
    await sleep(afterMs)
    for (const cli of parts) {
      const { code, ms } = await endOf({ cli })
      // Before the program has said what to do about it, the signal is the system's own.
      expect([0, 130, null]).toContain(code)
      expect(ms).toBeLessThan(goneMsMax)
    }
    await waitFor(() => fleet.processes().length === 0, { what: 'nothing to be left' })
    const left = await fleet.test.query(
      `select id from interlock.agent_stats where state <> 'gone' and id <> interlock.locks_agent() and lease_until > interlock.clock() + interval '16 seconds'`,
    )
    expect(left).toEqual([])
  })
})

describe('three coordinators that are replaced one by one under load', { timeout: 90_000 }, () => {
  it('lose nothing and accept nothing twice; each is gone within 30 s', async ({ fleet }) => {
    const ports = [await choosePort(null), await choosePort(null), await choosePort(null)]
    const start = (port: number) => fleet.serve({ port })
    const coordinators: Coordinator[] = []
    for (const port of ports) coordinators.push(await start(port))
    await fleet.agent('one')
    await fleet.agent('two')
    const loading = new AbortController()
    const accepted: string[] = []
    let asked = 0
    // A client as they ought to be: whom it cannot reach or who does not answer it asks elsewhere, with the same id.
    const client = async (name: string) => {
      for (let n = 0; !loading.signal.aborted; n += 1) {
        const id = `${name}-${n}`
        for (let attempt = 0; ; attempt += 1) {
          asked += 1
          const status = await fetch(`http://127.0.0.1:${ports[(n + attempt) % 3]}/jobs`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ task: 'work', id, user: `${name}${n % 7}` }),
            signal: AbortSignal.timeout(5000),
          }).then(
            (answer) => answer.status,
            () => null,
          )
          // 409: it was taken, and only the answer was lost.
          if (status === 201 || status === 409) break
          expect([null, 503]).toContain(status)
          await sleep(50)
        }
        accepted.push(id)
        await sleep(20)
      }
    }
    const clients = Promise.all(['a', 'b', 'c', 'd'].map(client))
    for (const [n, port] of ports.entries()) {
      await sleep(500)
      const { code, ms } = await endOf(coordinators[n] as Coordinator)
      expect(code).toBe(0)
      expect(ms).toBeLessThan(goneMsMax)
      coordinators[n] = await start(port)
    }
    await sleep(500)
    loading.abort()
    await clients
    expect(accepted.length).toBeGreaterThan(50)
    expect(asked).toBeGreaterThan(accepted.length)
    const done = async () => {
      const [row] = await fleet.test.query<{ done: number; twice: number; more: number }>(
        `select (select count(*)::int from interlock.task_history where outcome = 'completed' and job_id = any ($1)) as done,
                (select count(*)::int from (select from interlock.job_queue_log where event_type = 'completed' group by job_id having count(*) > 1) as t) as twice,
                (select count(*)::int from interlock.job_queue_log where event_type in ('lost', 'retried', 'failed')) as more`,
        [accepted],
      )
      return row?.done === accepted.length ? row : null
    }
    expect(await waitFor(done, { what: 'all to complete' })).toEqual({ done: accepted.length, twice: 0, more: 0 })
  })
})
