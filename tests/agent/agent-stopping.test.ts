import { describe, expect } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { testInWorld as it } from './agent-world.ts'
import { isAlive } from './marked-processes.ts'

const shell = (script: string) => ({ command: ['sh', '-c', script] })
const deaf = shell('trap "" TERM; echo ready; sleep 1000 & sleep 1000')

describe.concurrent('stopping an agent', () => {
  it('lets a job finish that can in time, and claims no other', async ({ world }) => {
    const agent = await world.startAgent({ tasks: { short: shell('sleep 0.7; echo "{}"') }, slots: 1 })
    const job = await world.enqueue({ task: 'short' })
    const next = await world.enqueue({ task: 'short' })
    await world.untilStatus(job, 'running')
    await agent.stop({ graceSeconds: 20 })
    expect([await world.statusOf(job), await world.statusOf(next)]).toEqual(['completed', 'pending'])
    expect(await world.agentStates()).toEqual(['gone'])
  })

  it('ends and returns the jobs that cannot, without counting the attempt', async ({ world }) => {
    const agent = await world.startAgent({ tasks: { deaf }, slots: 2 })
    const jobs = [await world.enqueue({ task: 'deaf' }), await world.enqueue({ task: 'deaf', user: 'alice' })]
    for (const job of jobs) await world.untilReady(job)
    const before = performance.now()
    await agent.stop({ graceSeconds: 4 })
    expect(performance.now() - before).toBeLessThan(5000)
    expect(world.processes()).toEqual([])
    const rows = await world.test.query<{ status: string; attempt: number }>(
      'select status, attempt from interlock.jobs',
    )
    expect(rows).toEqual([
      { status: 'pending', attempt: 0 },
      { status: 'pending', attempt: 0 },
    ])
    expect(await world.timelineOf(jobs[0] ?? '')).toEqual(['enqueued', 'assigned', 'started', 'returned'])
    expect(agent.keeperPid === null || !isAlive(agent.keeperPid)).toBe(true)
  })

  it('hurries when it is told a second time', async ({ world }) => {
    const agent = await world.startAgent({ tasks: { deaf } })
    const job = await world.enqueue({ task: 'deaf' })
    await world.untilReady(job)
    const stopped = agent.stop({ graceSeconds: 600 })
    await waitFor(async () => (await world.agentStates())[0] === 'draining', { what: 'the agent to drain' })
    const before = performance.now()
    await agent.stop({ graceSeconds: 0 })
    await stopped
    expect(performance.now() - before).toBeLessThan(4000)
    expect(await world.statusOf(job)).toBe('pending')
  })

  it('that was never started, or is still starting, leaves nothing', async ({ world }) => {
    const agent = await world.startAgent({ tasks: {} })
    await agent.stop()
    await agent.stop()
    const starting = world.startAgent({ name: 'two', tasks: {} }).catch(() => null)
    await waitFor(async () => (await world.agentStates()).length === 2, { what: 'the second to be registered' })
    await (await starting)?.stop()
    expect(await world.agentStates()).toEqual(['gone', 'gone'])
  })

  it('drained by an operator it finishes what it has, claims no more, and stays', async ({ world }) => {
    const agent = await world.startAgent({ tasks: { short: shell('echo ready; sleep 0.7') }, slots: 1 })
    const job = await world.enqueue({ task: 'short' })
    await world.untilReady(job)
    await world.test.query('select interlock.drain_agent($1)', [agent.id])
    const next = await world.enqueue({ task: 'short' })
    await world.untilStatus(job, 'completed')
    await waitFor(() => world.log.some(({ message }) => message.includes('drained')), { what: 'the agent to notice' })
    expect(await world.statusOf(next)).toBe('pending')
    expect(await world.agentStates()).toEqual(['draining'])
  })

  it('by SIGTERM ends its process with 0, its jobs returned and no process left', async ({ world }) => {
    const agent = await world.startAgentProcess({ tasks: { deaf }, drainSeconds: 4 })
    const job = await world.enqueue({ task: 'deaf' })
    await world.untilReady(job)
    agent.kill('SIGTERM')
    expect(await agent.exit).toBe(0)
    expect(world.processes()).toEqual([])
    expect(isAlive(agent.keeperPid)).toBe(false)
    expect(await world.statusOf(job)).toBe('pending')
  })

  it('by SIGTERM twice ends it at once', async ({ world }) => {
    const agent = await world.startAgentProcess({ tasks: { deaf }, drainSeconds: 600 })
    const job = await world.enqueue({ task: 'deaf' })
    await world.untilReady(job)
    agent.kill('SIGTERM')
    await waitFor(async () => (await world.agentStates())[0] === 'draining', { what: 'the agent to drain' })
    const before = performance.now()
    agent.kill('SIGTERM')
    expect(await agent.exit).toBe(0)
    expect(performance.now() - before).toBeLessThan(4000)
    expect(await world.statusOf(job)).toBe('pending')
  })
})
