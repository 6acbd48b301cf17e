import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { testInWorld as it } from '../agent/agent-world.ts'
import { waitFor } from '../support/wait-for.ts'

const shell = (script: string) => ({ command: ['sh', '-c', script] })
const pidOf = (output: string) => Number(/pid (\d+)/.exec(output)?.[1])

describe.concurrent('feature 22: jobs in processes of their own', { timeout: 90_000 }, () => {
  it('dies alone: a job that crashes takes neither its agent nor the jobs beside it along', async ({ world }) => {
    const crash = shell('kill -SEGV $$')
    const beside = shell('echo ready; sleep 1.5; echo "{}"')
    const agent = await world.startAgent({ liveness: 'lease', tasks: { crash, beside }, slots: 2 })
    const neighbour = await world.enqueue({ task: 'beside', user: 'ann' })
    await world.untilReady(neighbour)
    const job = await world.enqueue({ task: 'crash', max_attempts: 1 })
    await world.untilStatus(job, 'failed')
    expect(await world.errorOf(job)).toMatchObject({ signal: 'SIGSEGV' })
    await world.untilStatus(neighbour, 'completed')
    expect(await world.agentStates()).toEqual(['active'])
    expect(agent.activeJobs).toBe(0)
  })

  it('keeps no memory: each job has a process of its own, and it is gone with the job', async ({ world }) => {
    await world.startAgent({ liveness: 'lease', tasks: { who: shell('echo "pid $$"; echo "{}"') }, slots: 1 })
    const pids: number[] = []
    for (let n = 0; n < 2; n += 1) {
      const job = await world.enqueue({ task: 'who' })
      await world.untilStatus(job, 'completed')
      pids.push(pidOf(await world.outputOf(job)))
    }
    expect(new Set([...pids, process.pid]).size).toBe(3)
    expect(world.processes()).toEqual([])
  })

  it('takes with it what it has started, when it is cancelled', async ({ world }) => {
    await world.startAgent({
      liveness: 'lease',
      tasks: { deaf: shell('trap "" TERM; echo ready; sleep 1000 & sleep 1000') },
      stopGraceSeconds: 0.3,
    })
    const job = await world.enqueue({ task: 'deaf' })
    await world.untilReady(job)
    expect(world.processes().length).toBeGreaterThan(1)
    await world.test.query('select interlock.cancel_job($1)', [job])
    await world.untilStatus(job, 'cancelled')
    expect(world.processes()).toEqual([])
  })

  it('is given back unfinished, and the attempt not counted, when the agent is told to stop; within its limit', async ({
    world,
  }) => {
    const agent = await world.startAgentProcess({
      liveness: 'lease',
      tasks: { deaf: shell('trap "" TERM; echo ready; sleep 1000 & sleep 1000') },
      drainSeconds: 4,
    })
    const job = await world.enqueue({ task: 'deaf' })
    await world.untilReady(job)
    const before = performance.now()
    agent.kill('SIGTERM')
    await waitFor(async () => (await world.statusOf(job)) === 'pending', {
      what: 'the job to wait again',
      timeoutMs: 30_000,
    })
    expect(performance.now() - before).toBeLessThan(30_000)
    expect(world.processes()).toEqual([])
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'returned'])
    const [row] = await world.test.query<{ attempt: number }>('select attempt from interlock.jobs where id = $1', [job])
    expect(row?.attempt).toBe(0)
  })

  it('has 30 s at the most by default: 25 to finish, and the rest to be ended and given back', () => {
    const defaults = readFileSync(new URL('../../src/config/defaults.ts', import.meta.url), 'utf8')
    expect(Number(/drain_seconds: (\d+)/.exec(defaults)?.[1])).toBeLessThanOrEqual(25)
  })
})
